"""Taylor cross-entropy: the first terms of cross-entropy's series in 1 − p."""

from functools import partial
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from adc_core import Dataset, InputError
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.heads import Output, taylor_log_exp
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import PerSample, Strategy


def taylor_cross_entropy(logits: Tensor, labels: Tensor, order: int = 2) -> Tensor:
    """Compute Σ_{m ≤ t} (1 − p_y)^m / m: 1 − p_y for t = 1, cross-entropy for t → ∞.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        order: t, how many terms.

    Returns:
        B losses, in 0 … 1 + 1/2 + … + 1/t.
    """
    return _series(-torch.expm1(-cross_entropy(logits, labels)), order)


def smooth_taylor_cross_entropy(
    logits: Tensor, labels: Tensor, order: int = 2, smoothing: float = 0.1
) -> Tensor:
    """Compute Taylor cross-entropy of the target (1 − ε)·e_y + ε/K.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        order: t, how many terms.
        smoothing: ε.

    Returns:
        B losses.
    """
    every = _series(-torch.expm1(logits.log_softmax(dim=1)), order).mean(dim=1)
    given = taylor_cross_entropy(logits, labels, order)
    return (1 - smoothing) * given + smoothing * every


def taylor_softmax_cross_entropy(
    logits: Tensor, labels: Tensor, order: int = 2, smoothing: float = 0.2
) -> Tensor:
    """Compute cross-entropy after a softmax whose exp is its Taylor polynomial.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        order: of the polynomial, even.
        smoothing: ε, spread over the other K − 1 classes.

    Returns:
        B losses, in nats.
    """
    return _spread_cross_entropy(taylor_log_exp(logits, order), labels, smoothing)


def _spread_cross_entropy(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    given, K = cross_entropy(logits, labels), logits.shape[1]
    others = -logits.log_softmax(dim=1).sum(dim=1) - given
    return (1 - smoothing) * given + smoothing * others / (K - 1)


def _series(rest: Tensor, order: int) -> Tensor:
    total = torch.zeros_like(rest)
    for power in range(order, 0, -1):
        total = rest * (1 / power + total)
    return total


class TaylorCrossEntropy(NetworkLearner):
    """Trains by the first terms of cross-entropy's series, which bounds what a wrong label costs.

    Three losses share the name. `plain`: Σ_{m ≤ t} (1 − p_y)^m / m, Feng et al., "Can cross
    entropy loss be robust to label noise?", IJCAI 2020. `smooth`: the same with the target
    (1 − ε)·e_y + ε/K, as Chen et al., IET Image Processing 2022, which the ADC paper cites, is
    read here. `softmax`: another loss altogether, cross-entropy with smoothing ε over the other
    classes after a softmax with exp's polynomial; it predicts by that softmax.

    Traps: t counts terms. At small t with many classes, untrained networks hardly learn, since
    the gradient's weight 1 − (1 − p_y)^t is small: start from pretrained weights.
    """

    variant: Literal["plain", "smooth", "softmax"] = Field(
        default="plain", description="which loss"
    )
    order: int = Field(default=2, ge=1, le=100, description="terms; for softmax the even degree")
    smoothing: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="smooth and softmax: share of the target for other classes",
    )

    _even: ClassVar[str] = "order must be even for the variant softmax: give 2, 4 or 6"

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.variant == "softmax" and self.order % 2:
            raise InputError(self._even)
        return self

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the loss of the chosen variant."""
        if self.variant == "plain":
            return PerSample(partial(taylor_cross_entropy, order=self.order))
        if self.variant == "smooth":
            return PerSample(
                partial(smooth_taylor_cross_entropy, order=self.order, smoothing=self.smoothing)
            )
        # The network's output already is the polynomial's logarithm, so that it predicts by it.
        strategy = PerSample(partial(_spread_cross_entropy, smoothing=self.smoothing))
        strategy.output = Output("taylor-softmax", {"order": self.order})
        return strategy
