"""Mixup: images and labels of a batch blended in pairs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.parts import BoundCriterion, cross_entropy
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


def mixed_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    partners: Tensor,
    share: float | Tensor,
    criterion: BoundCriterion = cross_entropy,
) -> Tensor:
    """Compute λ·CE of the own label + (1 − λ)·CE of the partner's.

    Args:
        logits: B × K of blended images.
        labels: B int64 class indices.
        partners: B int64 class indices of those blended in.
        share: λ, one number or B.
        criterion: the loss of a sample, CE where none is given.

    Returns:
        B losses, in nats.
    """
    own, other = criterion(logits, labels), criterion(logits, partners)
    return share * own + (1 - share) * other


def sample_beta(alpha: float, count: int = 1) -> Tensor:
    """Draw from Beta(alpha, alpha) by torch's global generator, on the CPU; alpha ≥ 0.01."""
    # In single precision a small alpha underflows, and comes out as one half.
    parameter = torch.tensor(alpha, dtype=torch.float64)
    return torch.distributions.Beta(parameter, parameter).sample((count,)).float()


class Mixup(NetworkLearner):
    """Trains on blends of two images and their two labels, which leaves less to memorise.

    Loss: λ·CE(y) + (1 − λ)·CE(y of the partner) at the blend λ·x + (1 − λ)·x of the partner, one
    λ ~ Beta(alpha, alpha) and one permutation a batch. Zhang et al., "mixup: beyond empirical risk
    minimization", ICLR 2018; alpha = 1 in the official code.

    Traps: training dynamics are those of the blends, and so is the history's accuracy. It needs
    many epochs; probabilities come out flat.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "epochs": 200,
            "milestones": (100, 150),
            "weight_decay": 0.0001,
        }
    )
    """The official code's (facebookresearch/mixup-cifar10)."""

    takes_criterion: ClassVar[bool] = True

    alpha: float = Field(default=1, ge=0.01, description="of the Beta distribution; large: halves")

    def strategy(self, dataset: Dataset) -> Strategy:
        """Blend, then cross-entropy of both labels."""
        return _Mixed(self.alpha)


class _Mixed(Strategy):
    def __init__(self, alpha: float) -> None:
        self._alpha = alpha

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        batch, share = self.sampler.batch(plan.rows), float(sample_beta(self._alpha))
        order = torch.randperm(len(batch.rows), generator=self.sampler.generator)
        order = order.to(batch.rows.device)
        logits = networks[0](share * batch.images + (1 - share) * batch.images[order])
        losses = mixed_cross_entropy(
            logits, batch.labels, batch.labels[order], share, self.criterion
        )
        return Step(losses, batch.rows, logits)
