"""Generalised label smoothing: targets between the given label and all labels alike, or beyond."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import PerSample, Switch


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, rate: float) -> Tensor:
    """Compute (1 − r)·CE + r·mean over classes of −log p: the target is (1 − r)·e_y + r/K.

    The given class, too, receives r/K; spreading ε over the K − 1 others is r = εK/(K − 1).

    Args:
        logits: B × K.
        labels: B int64 class indices.
        rate: r, of either sign.

    Returns:
        B losses, in nats; for r < 0 they have no lower bound.
    """
    every = -logits.log_softmax(dim=1).mean(dim=1)
    return (1 - rate) * cross_entropy(logits, labels) + rate * every


class _Smoothed(PerSample):
    """Smoothed cross-entropy, at a constant learning rate if one is given."""

    def __init__(self, smoothing: float, rate: float | None) -> None:
        super().__init__(partial(smoothed_cross_entropy, rate=smoothing))
        self._rate = rate

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        super().tune(optimizer, rate if self._rate is None else self._rate, epoch)


OFFICIAL: Mapping[str, Any] = MappingProxyType(
    {
        "epochs": 200,
        "milestones": (100, 150),
        "weight_decay": 1e-4,
        "optimizer_options": {"nesterov": True},
    }
)
"""The training of the generalized label smoothing code (UCSC-REAL/negative-label-smoothing)."""

OFFICIAL_AFTER_WARM_UP: Mapping[str, Any] = MappingProxyType(
    {
        "epochs": 220,
        "milestones": (40, 80),
        "momentum": 0,
        "weight_decay": 0,
        "warm_up": 120 / 220,
        "later_rate": 1e-6,
    }
)
"""That which it recommends for much noise: plain SGD by cross-entropy, then a hundred epochs."""


class PositiveLabelSmoothing(NetworkLearner):
    """Trains towards labels smoothed over all classes, which tempers confidence in wrong ones.

    Loss: (1 − r)·CE + r·mean_k(−log p_k), 0 < r ≤ 1. Lukasik et al., "Does label smoothing
    mitigate label noise?", ICML 2020. Official: r = 0.1 from the first epoch on. The ADC paper:
    r = 0.6 in the second half.

    Traps: r counts the given class among those smoothed over. Probabilities come out flat: do
    not read them as confidences.
    """

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({"rate": 0.6, "warm_up": 0.5})

    cifar_n: ClassVar[Mapping[str, Any]] = OFFICIAL

    rate: float = Field(
        default=0.1, gt=0, le=1, description="r: how much of the target all classes share"
    )
    warm_up: float = Field(
        default=0, ge=0, le=1, description="part of the epochs by cross-entropy, first"
    )

    def strategy(self, dataset: Dataset) -> Switch:
        """Return cross-entropy, then smoothed cross-entropy."""
        return Switch(PerSample(partial(smoothed_cross_entropy, rate=self.rate)), self.warm_up)


class NegativeLabelSmoothing(NetworkLearner):
    """Trains against the classes not given, as correcting for symmetric noise does.

    Loss: (1 − r)·CE + r·mean_k(−log p_k) with r < 0. Wei et al., "To smooth or not? When label
    smoothing meets noisy labels", ICML 2022. For symmetric noise ε it is the backward correction
    up to a factor, at r = −εK/((K − 1) − εK). Official (UCSC-REAL/negative-label-smoothing): 120
    epochs of cross-entropy by plain SGD, then 100 at the learning rate 10⁻⁶: the preset `cifar-n`,
    which goes on from the last epoch, where the official code takes the best by the test set, and
    without momentum and weight decay, which hardly matter at that rate. The ADC paper: r = −0.2 in
    the second half.

    Traps: the loss has no lower bound: if the history's loss runs away, lower `learning_rate` or
    |r|. It helps against symmetric noise, not against pairs of classes that are confused.
    """

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({"rate": -0.2, "warm_up": 0.5})

    cifar_n: ClassVar[Mapping[str, Any]] = OFFICIAL_AFTER_WARM_UP

    rate: float = Field(default=-0.2, ge=-10, lt=0, description="r: how far beyond the given label")
    warm_up: float = Field(
        default=0.5, ge=0, le=1, description="part of the epochs by cross-entropy, first"
    )
    later_rate: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="learning rate afterwards; none: the schedule continues",
    )

    def strategy(self, dataset: Dataset) -> Switch:
        """Return cross-entropy, then cross-entropy smoothed the other way."""
        return Switch(_Smoothed(self.rate, self.later_rate), self.warm_up)
