"""MentorNet's predefined curriculum: samples of small loss first, by a threshold that moves."""

from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import Strategy


def self_paced_weights(losses: Tensor, threshold: Tensor | float, width: float = 0) -> Tensor:
    """Weigh B losses: 1 up to the threshold, then falling linearly to 0 over a width.

    The closed form that minimizes Σ v·loss − (λ₁ + λ₂)·Σ v + λ₂·Σ v²/2 over v in 0 … 1, λ₁ the
    threshold and λ₂ the width.

    Args:
        losses: B.
        threshold: λ₁.
        width: λ₂; at 0 the weights are 1 or 0.
    """
    over = losses.detach() - threshold
    if width == 0:
        return (over <= 0).to(losses.dtype)
    return (1 - over / width).clamp(0, 1)


class MentorNet(NetworkLearner):
    """Trains on samples whose loss is below a running threshold, and less on those above it.

    Loss: v·CE, v = 1 up to the threshold λ₁, then falling to 0 over the width λ₂; λ₁ follows a
    percentile of each batch's losses. Jiang et al., "MentorNet: learning data-driven curriculum for
    very deep neural networks on corrupted labels", ICML 2018: its predefined curriculum, which with
    λ₂ = 0 is self-paced learning (Kumar et al., NeurIPS 2010). In a burn-in at the start all
    samples count. The paper's curriculum that is learned, by a network on data whose noise is
    known, is not here.

    Traps: a percentile above the share of right labels trusts wrong ones; far below it the
    network sees easy images alone. The network judges by what it has learned itself: its
    mistakes of the burn-in stay.
    """

    takes_criterion: ClassVar[bool] = True

    percentile: float = Field(
        default=80, ge=0, le=100, description="of losses, which the threshold follows"
    )
    falloff: float = Field(
        default=0,
        ge=0,
        description="λ₂: range of losses, in nats, over which weights fall; 0: at once",
    )
    threshold_average: float = Field(
        default=0.9, ge=0, lt=1, description="what the threshold keeps of itself a step"
    )
    burn_in: float = Field(
        default=0.2, ge=0, le=1, description="part of the epochs in which all count"
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return cross-entropy, weighted by the threshold."""
        return _SelfPaced(self)


class _SelfPaced(Strategy):
    def __init__(self, options: MentorNet) -> None:
        self._options = options
        self._threshold: Tensor | None = None

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self._burning = round(self._options.burn_in * epochs)

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        losses = self.criterion(logits, batch.labels)
        present = torch.quantile(losses.detach(), self._options.percentile / 100)
        keep = 0 if self._threshold is None else self._options.threshold_average
        before = present if self._threshold is None else self._threshold
        self._threshold = keep * before + (1 - keep) * present
        if epoch < self._burning:
            return losses
        return self_paced_weights(losses, self._threshold, self._options.falloff) * losses

    def state_dict(self) -> dict[str, Any]:
        return {"threshold": self._threshold}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._threshold = state["threshold"]
