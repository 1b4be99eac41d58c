"""Symmetric cross-entropy: cross-entropy, and the same with target and prediction exchanged."""

import math
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
from adc_plugins_learn.training.strategy import PerSample

LOG_ZERO = math.log(1e-4)
"""The value of log 0 in the official code; the paper's text has −4."""


def reverse_cross_entropy(logits: Tensor, labels: Tensor, log_zero: float = LOG_ZERO) -> Tensor:
    """Compute −Σ p·log(one-hot) with log 0 := A, which is −A·(1 − p_y).

    Args:
        logits: B × K.
        labels: B int64 class indices.
        log_zero: A, negative.

    Returns:
        B losses, in 0 … −A.
    """
    return log_zero * torch.expm1(-cross_entropy(logits, labels))


def symmetric_cross_entropy(
    logits: Tensor, labels: Tensor, alpha: float, beta: float, log_zero: float = LOG_ZERO
) -> Tensor:
    """Compute alpha·CE + β·RCE.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        alpha: weight of cross-entropy.
        beta: weight of reverse cross-entropy.
        log_zero: A.

    Returns:
        B losses.
    """
    reverse = reverse_cross_entropy(logits, labels, log_zero)
    return alpha * cross_entropy(logits, labels) + beta * reverse


class SymmetricCrossEntropy(NetworkLearner):
    """Trains by cross-entropy for speed and its reverse, which is bounded, for robustness.

    Loss: alpha·CE + β·RCE, RCE = −Σ p·log(one-hot) with log 0 := A. Wang et al., "Symmetric cross
    entropy for robust learning with noisy labels", ICCV 2019. Official: alpha = 0.1, β = 1 for ten
    classes, alpha = 6, β = 0.1 for a hundred.

    Traps: A is ln 10⁻⁴ in the code and −4 in the text, which scales β. RCE is |A| times absolute
    error; with A = ln 10⁻⁴ and β = 1 steps are nine times larger: the learning rate is 0.01 here.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "learning_rate": 0.01,
        }
    )
    """For its larger steps: see the traps."""

    learning_rate: float = Field(default=0.01, gt=0, le=1000, description="at the start")
    alpha: float = Field(default=0.1, ge=0, description="weight of cross-entropy")
    beta: float = Field(default=1, ge=0, description="weight of reverse cross-entropy")
    log_zero: float = Field(default=LOG_ZERO, lt=0, description="A: the value of log 0")

    def strategy(self, dataset: Dataset) -> PerSample:
        """Return the loss."""
        alpha, beta, log_zero = self.alpha, self.beta, self.log_zero
        return PerSample(
            partial(symmetric_cross_entropy, alpha=alpha, beta=beta, log_zero=log_zero)
        )
