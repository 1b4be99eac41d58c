"""LogitClip: cross-entropy of logits whose norm is bounded."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.data.sampler import Batch
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import Strategy


def clip_logits(logits: Tensor, bound: float, clipped: float | None = None) -> Tensor:
    """Shorten the rows whose Euclidean norm exceeds a bound.

    Args:
        logits: B × K.
        bound: τ.
        clipped: the norm that such rows get; without it τ.

    Returns:
        B × K; gradient flows through the norm.
    """
    norms = torch.linalg.vector_norm(logits, dim=1, keepdim=True) + 1e-7
    shortened = logits / norms * (bound if clipped is None else clipped)
    return torch.where(norms > bound, shortened, logits)


class LogitClip(NetworkLearner):
    """Trains on logits of bounded norm, so that no wrong label weighs without limit.

    Loss: CE of z if ‖z‖ ≤ τ, else of τ·z/‖z‖. Wei et al., "Mitigating memorization of noisy
    labels by clipping the network prediction", ICML 2023; τ = 1 by the official code, 1.5 in the
    ADC paper. The loss is between log(1 + (K − 1)·exp(∓√2·τ)).

    Traps: the official code shortens to 1/τ where the paper says τ (`official_code` does so, and
    jumps at the threshold). A high training loss is no fault: with twelve classes and τ = 1.5 it
    cannot fall below 1.19. Within its bound it memorises, too: on the small images of our tests,
    trained to the end, it gains nothing. Logits are clipped in the loss alone; predictions use
    them as they are.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "epochs": 200,
            "milestones": (80, 140),
        }
    )
    """The official code's."""

    takes_criterion: ClassVar[bool] = True

    tau: float = Field(default=1.5, gt=0, description="bound of the logits' Euclidean norm")
    official_code: bool = Field(
        default=False, description="shorten to 1/tau, as the published code does"
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return cross-entropy of clipped logits."""
        return _Clipped(self.tau, 1 / self.tau if self.official_code else self.tau)


class _Clipped(Strategy):
    def __init__(self, bound: float, clipped: float) -> None:
        self._bound, self._clipped = bound, clipped

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        return self.criterion(clip_logits(logits, self._bound, self._clipped), batch.labels)
