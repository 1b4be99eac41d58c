"""Generalised cross-entropy: between cross-entropy and mean absolute error."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import Networks, Strategy


def generalized_cross_entropy(logits: Tensor, labels: Tensor, q: float = 0.7) -> Tensor:
    """Compute (1 − p_y^q) / q: cross-entropy for q → 0, 1 − p_y for q = 1.

    The power is taken of the log-probability, since p^q has no finite gradient at p = 0.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        q: 0 < q ≤ 1.

    Returns:
        B losses, in 0 … 1/q.
    """
    return -torch.expm1(-q * cross_entropy(logits, labels)) / q


def truncated_weights(logits: Tensor, labels: Tensor, k: float = 0.5) -> Tensor:
    """Return B weights of the truncated loss: 1 where p_y > k, else 0."""
    return ((-cross_entropy(logits, labels)).exp() > k).to(logits.dtype)


class GeneralizedCrossEntropy(NetworkLearner):
    """Trains by a loss that doubts a label the less likely the network finds it.

    Loss: (1 − p_y^q)/q, whose gradient is that of cross-entropy times p_y^q. Zhang & Sabuncu,
    "Generalized cross entropy loss for training deep neural networks with noisy labels",
    NeurIPS 2018; q = 0.7. With `truncation`, k in the paper, 0.5 there, samples with p_y ≤ k are
    left out, as the network finds them at the start of every epoch from `truncate_from` on.

    Traps: with many classes it begins slowly, as p_y^q is small everywhere: lower q. Published
    code refreshes the weights with the model that is best on the test set; this one does not.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "epochs": 120,
            "learning_rate": 0.01,
            "weight_decay": 0.0001,
            "milestones": (40, 80),
        }
    )
    """Those of AlanChou/Truncated-Loss, which is not the authors' own."""

    q: float = Field(
        default=0.7, gt=0, le=1, description="0: as cross-entropy, 1: as absolute error"
    )
    truncation: float | None = Field(
        default=None, gt=0, lt=1, description="k: leave out samples of p_y up to k; without it none"
    )
    truncate_from: float = Field(
        default=0.4, ge=0, lt=1, description="part of the epochs before samples are left out"
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the loss, which may leave samples out."""
        return _Generalized(self.q, self.truncation, self.truncate_from)


class _Generalized(Strategy):
    def __init__(self, q: float, truncation: float | None, truncate_from: float) -> None:
        self._q, self._k, self._from = q, truncation, truncate_from

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self.weights = torch.ones(len(sampler), device=sampler.device)

    def begin_epoch(self, epoch: int, networks: Networks) -> None:
        if self._k is not None and epoch >= round(self._from * self.epochs):
            logits = self.sampler.evaluate(networks[0])
            self.weights = truncated_weights(logits, self.sampler.labels, self._k)

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        losses = generalized_cross_entropy(logits, batch.labels, self._q)
        return self.weights[batch.rows] * losses

    def state_dict(self) -> dict[str, Any]:
        return {"weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.weights = state["weights"]
