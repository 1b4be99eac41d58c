"""f-divergence between given pairs and randomly matched ones, made as large as possible."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.learners.peer_loss import PeerLearner, given_probability
from adc_plugins_learn.training.strategy import Switch

_LOG_2 = math.log(2)


class _Divergence(NamedTuple):
    """The variational function g, and the conjugate of f after it."""

    g: Callable[[Tensor], Tensor]
    h: Callable[[Tensor], Tensor]


DIVERGENCES = {
    "total-variation": _Divergence(lambda v: v.tanh() / 2, lambda v: v.tanh() / 2),
    "jensen-shannon": _Divergence(
        lambda v: _LOG_2 - torch.log1p((-v).exp()), lambda v: v + torch.log1p((-v).exp()) - _LOG_2
    ),
    "kl": _Divergence(lambda v: v, lambda v: (v - 1).exp()),
    "pearson": _Divergence(lambda v: v, lambda v: v**2 / 4 + v),
    "jeffrey": _Divergence(lambda v: v, lambda v: v + v**2 / 4 + v**3 / 16),
    "reverse-kl": _Divergence(lambda v: -v.exp(), lambda v: -1 - v),
    "squared-hellinger": _Divergence(lambda v: -torch.expm1(v), lambda v: torch.expm1(-v)),
}
"""Of probabilities v in 0 … 1."""

DivergenceName = Literal[
    "total-variation",
    "jensen-shannon",
    "kl",
    "pearson",
    "jeffrey",
    "reverse-kl",
    "squared-hellinger",
]


def f_divergence_loss(
    logits: Tensor,
    labels: Tensor,
    peer_logits: Tensor,
    peer_labels: Tensor,
    divergence: DivergenceName = "total-variation",
) -> Tensor:
    """Compute −mean g(p_y) + mean h(p of the peer label): minus the variational divergence.

    Args:
        logits: B × K.
        labels: B int64 given labels.
        peer_logits: B × K of images drawn at random.
        peer_labels: B labels drawn at random, independently of the images.
        divergence: which.

    Returns:
        One number.
    """
    g, h = DIVERGENCES[divergence]
    own, peer = given_probability(logits, labels), given_probability(peer_logits, peer_labels)
    return h(peer).mean() - g(own).mean()


class FDivergence(PeerLearner):
    """Trains so that given pairs of image and label differ most from randomly matched ones.

    Loss: −mean g(p_y) + mean f*(g(p_peer)). Wei & Liu, "When optimizing f-divergence is robust
    with label noise", ICLR 2021; total variation, g = ½·tanh, is the first that it recommends.
    Official (weijiaheng/Robust-f-divergence-measures): 200 epochs of cross-entropy, then 100 of
    this from 0.01, a tenth after each 30, with a new optimizer in each epoch: the preset `cifar-n`,
    which goes on from the last epoch where the official code takes the best by noisy validation,
    and returns the last where that selects by the divergence. The ADC paper: as `peer-loss`, at
    10⁻⁶, where the sign of the loss would hardly show; by default the schedule continues.

    Traps: the loss is minus the divergence; its statistic is the probability, not the logit. Its
    gradient is small at p_y ≈ 1/K, so it needs the start by cross-entropy. `reverse-kl` and
    `squared-hellinger` push p_y down and are here for completeness; Neyman's is not, since the
    published pair is not one of a function and its conjugate. Two passes a step.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "epochs": 300,
            "milestones": (60, 120, 180),
            "warm_up": 2 / 3,
            "later_rate": 0.01,
            "later_milestones": (230, 260, 290),
            "reset_optimizer": True,
        }
    )
    """The official code's two stages."""

    divergence: DivergenceName = Field(default="total-variation", description="which f")

    def strategy(self, dataset: Dataset) -> Switch:
        """Return cross-entropy, then the divergence."""
        return self.compared(partial(f_divergence_loss, divergence=self.divergence))
