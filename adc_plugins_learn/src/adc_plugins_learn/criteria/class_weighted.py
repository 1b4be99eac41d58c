"""Class-weighted cross-entropy: errors in rare classes cost more."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from adc_plugins_learn.training.parts import Criterion, TrainingContext, cross_entropy

Weighting = Literal["inverse-frequency", "effective-number"]


def class_weights(class_counts: Tensor, weighting: Weighting, beta: float = 0.9999) -> Tensor:
    """Compute K weights whose mean over the samples is 1.

    Args:
        class_counts: K numbers of samples; classes without any get weight 0.
        weighting: 1/nₖ, or (1 − β)/(1 − β^nₖ).
        beta: β, of the effective number: 0 weighs all alike, towards 1 as the inverse frequency.
    """
    counts = class_counts.double()
    if weighting == "inverse-frequency":
        raw = 1 / counts
    else:
        raw = (1 - beta) / -torch.expm1(counts * torch.tensor(beta, dtype=torch.float64).log())
    raw = torch.where(counts > 0, raw, 0)
    return (raw * counts.sum() / (raw * counts).sum()).to(class_counts.dtype)


def weighted_by_class(losses: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Multiply B losses by the weight of their class, or by the mean weight of a soft target.

    Args:
        losses: B.
        targets: B int64 class indices, or B × K probabilities.
        weights: K.
    """
    return losses * (weights[targets] if targets.ndim == 1 else targets @ weights)


class ClassWeighted(Criterion):
    """Cross-entropy in which each sample weighs as its class is rare.

    Weights are 1/nₖ or, Cui et al., "Class-balanced loss based on effective number of samples",
    CVPR 2019, (1 − β)/(1 − β^nₖ); their mean over the samples is 1, so that learning rates keep
    their meaning. From `after` of the epochs on (deferred re-weighting, Cao et al., NeurIPS 2019:
    0.8), for before it features are learned best from the samples as they are.

    Traps: a wrong label in a rare class costs most of all: methods that drop wrong labels come
    first. Weights of a long tail differ by its ratio, and gradients with them.
    """

    weighting: Weighting = Field(
        default="effective-number", description="how a class's weight falls"
    )
    beta: float = Field(default=0.9999, ge=0, lt=1, description="β: of the effective number")
    after: float = Field(
        default=0, ge=0, lt=1, description="part of the epochs without weights, first"
    )

    def losses(self, logits: Tensor, targets: Tensor, context: TrainingContext) -> Tensor:
        """Weigh cross-entropy by the class, once it is time."""
        losses = cross_entropy(logits, targets)
        if context.progress < self.after:
            return losses
        weights = class_weights(context.class_counts, self.weighting, self.beta)
        return weighted_by_class(losses, targets, weights)
