"""Backward correction: losses of all labels, weighted so that noise cancels on average."""

import math

import torch
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.transition import TransitionLearner
from adc_plugins_learn.training.strategy import Switch

_MOST_ILL = 1e4
_LEAST_LOG = math.log(1e-7)


def backward_cross_entropy(logits: Tensor, labels: Tensor, transition: Tensor) -> Tensor:
    """Compute −Σ_k T⁻¹[y, k]·log p_k, with log p_k ≥ log 10⁻⁷.

    Args:
        logits: B × K.
        labels: B int64 given labels.
        transition: K × K, row: true class, column: given class; invertible.

    Returns:
        B losses, in nats; they may be negative.
    """
    log_p = logits.log_softmax(dim=1).clamp_min(_LEAST_LOG)
    solved: Tensor = torch.linalg.solve(transition.to(log_p.dtype), log_p.T)
    return -solved.gather(0, labels[None, :])[0]


def well_conditioned(transition: Tensor) -> Tensor:
    """Mix a matrix with the identity in tenths until its condition number is at most 10⁴."""
    identity = torch.eye(len(transition), dtype=transition.dtype, device=transition.device)
    for tenths in range(11):
        mixed = torch.lerp(transition, identity, tenths / 10)
        if torch.linalg.cond(mixed) <= _MOST_ILL:
            break
    return mixed


class BackwardCorrection(TransitionLearner):
    """Trains by a loss that equals, on average over the noise, the loss on true labels.

    Loss: −Σ_k T⁻¹[y, k]·log p_k. Patrini et al., "Making deep neural networks robust to label
    noise: a loss correction approach", CVPR 2017. The matrix: see the options `transition` and
    `source`, and `forward-correction` on what the preset `adc` does. A matrix that can hardly be
    inverted is mixed with the identity until it can.

    Traps: it is the row of T⁻¹ at the given label that counts, not the column. Losses may be
    negative, and log p is bounded at log 10⁻⁷, for otherwise they would have no lower bound. It is
    far less stable than the forward correction. A network that can memorise does so with it as fast
    as with cross-entropy: on the small images of our tests it gains nothing, even with the true
    matrix.
    """

    def strategy(self, dataset: Dataset) -> Switch:
        """Return cross-entropy, then the backward correction."""
        return self.corrected(dataset, backward_cross_entropy, well_conditioned)
