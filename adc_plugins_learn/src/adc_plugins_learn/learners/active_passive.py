"""Active–passive losses: one that raises the given label's probability, one that lowers others'."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.learners.symmetric_cross_entropy import reverse_cross_entropy
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import PerSample


def normalized_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute log p_y / Σ_k log p_k: B losses in 0 … 1, which sum to 1 over all labels."""
    return cross_entropy(logits, labels) / -logits.log_softmax(dim=1).sum(dim=1)


def active_passive(
    logits: Tensor,
    labels: Tensor,
    alpha: float = 1,
    beta: float = 1,
    passive: Literal["rce", "mae"] = "rce",
) -> Tensor:
    """Compute alpha·NCE + β·RCE, or alpha·NCE + β·(1 − p_y).

    Args:
        logits: B × K.
        labels: B int64 class indices.
        alpha: weight of normalized cross-entropy.
        beta: weight of the passive loss.
        passive: reverse cross-entropy, or absolute error without its factor of 2.

    Returns:
        B losses.
    """
    if passive == "rce":
        bounded = reverse_cross_entropy(logits, labels)
    else:
        bounded = -torch.expm1(-cross_entropy(logits, labels))
    return alpha * normalized_cross_entropy(logits, labels) + beta * bounded


class ActivePassive(NetworkLearner):
    """Trains by two robust losses that make up for each other's slow learning.

    Loss: alpha·NCE + β·RCE (or MAE), NCE = log p_y / Σ_k log p_k. Ma et al., "Normalized loss
    functions for deep learning with noisy labels", ICML 2020. Official: alpha = β = 1 for ten
    classes, alpha = 10, β = 0.1 for a hundred.

    Traps: NCE's gradient shrinks as other classes become unlikely; without the passive loss it
    underfits. RCE makes steps nine times larger: the learning rate is 0.01 here. Authors clip the
    gradient's norm at 5 and train for 120 epochs and more.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "epochs": 120,
            "learning_rate": 0.01,
            "weight_decay": 0.0001,
            "schedule": "cosine",
            "clip_gradient_norm": 5,
        }
    )
    """The official code's for CIFAR-10."""

    learning_rate: float = Field(default=0.01, gt=0, le=1000, description="at the start")
    alpha: float = Field(default=1, ge=0, description="weight of normalized cross-entropy")
    beta: float = Field(default=1, ge=0, description="weight of the passive loss")
    passive: Literal["rce", "mae"] = Field(
        default="rce", description="reverse CE, or absolute error"
    )

    def strategy(self, dataset: Dataset) -> PerSample:
        """Return the sum of the two losses."""
        return PerSample(
            partial(active_passive, alpha=self.alpha, beta=self.beta, passive=self.passive)
        )
