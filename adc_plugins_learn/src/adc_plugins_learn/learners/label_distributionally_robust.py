"""LDR-KL: the worst average margin over label distributions near the uniform one."""

import math
from functools import partial
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import PerSample, Strategy


def label_distributionally_robust(
    logits: Tensor, labels: Tensor, margin: float = 0.1, spread: float | Tensor = 1
) -> Tensor:
    """Compute λ·log mean_k exp((c·1[k ≠ y] + z_k − z_y)/λ).

    The largest term for λ → 0, their mean for λ → ∞, CE − log K for λ = 1 and c = 0.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        margin: c.
        spread: λ, one number or B.

    Returns:
        B losses, of either sign.
    """
    spread = torch.as_tensor(spread, dtype=logits.dtype, device=logits.device).expand(len(logits))
    others = torch.nn.functional.one_hot(labels, logits.shape[1]) == 0
    above = margin * others.to(logits.dtype) + logits - logits.gather(1, labels[:, None])
    powers = (above / spread[:, None]).logsumexp(dim=1) - math.log(logits.shape[1])
    return spread * powers


def scaled(logits: Tensor) -> Tensor:
    """Divide B × K logits by the mean magnitude of their row."""
    return logits / logits.abs().mean(dim=1, keepdim=True).clamp_min(1e-12)


def adapted_spread(logits: Tensor, spread: Tensor, first: float, alpha: float) -> Tensor:
    """Compute the next λ of each of B samples: smaller where the network is surer; no gradient.

    Args:
        logits: B × K, scaled.
        spread: B present λ.
        first: λ₀.
        alpha: the larger, the less λ moves.
    """
    K = logits.shape[1]
    p = (logits.detach() / spread[:, None]).softmax(dim=1) + 1e-5
    p = p / p.sum(dim=1, keepdim=True)
    divergence = (p * (K * p).log()).sum(dim=1)
    return first - first * divergence / (alpha * math.log(K))


def adaptive_loss(
    logits: Tensor, labels: Tensor, spread: Tensor, margin: float, first: float, alpha: float
) -> Tensor:
    """Compute LDR-KL of scaled logits − ½·(alpha·log K/λ₀)·(λ − λ₀)².

    Args:
        logits: B × K, scaled.
        labels: B int64 class indices.
        spread: B adapted λ.
        margin: c.
        first: λ₀.
        alpha: as in `adapted_spread`.

    Returns:
        B losses.
    """
    rows = label_distributionally_robust(logits, labels, margin, spread)
    return rows - alpha * math.log(logits.shape[1]) / first * (spread - first) ** 2 / 2


class LabelDistributionallyRobust(NetworkLearner):
    """Trains on the worst average of margins over label distributions near the uniform one.

    Loss: λ·log mean_k exp((c·1[k ≠ y] + z_k − z_y)/λ); `adaptive` gives every sample a λ of its
    own that starts at `spread` and falls as the network grows sure of it, on logits scaled to mean
    magnitude 1. Zhu et al., "Label distributionally robust losses for multi-class classification:
    consistency, robustness and adaptivity", ICML 2023. Official demo: c = 0.1, λ₀ = 10, alpha = 2;
    published comparisons use λ = 10 for ten classes and 1 for a hundred.

    Traps: at λ = 1 and c = 0 it is cross-entropy. A large λ leaves logits, and so confidences,
    without scale. Losses may be negative. At alpha 1 λ would fall to 0 where the network is sure.
    """

    margin: float = Field(default=0.1, ge=0, description="c: demanded of other classes")
    spread: float = Field(default=10, gt=0, description="λ: 0 the worst class, infinite their mean")
    adaptive: bool = Field(default=False, description="a λ for every sample")
    alpha: float = Field(default=2, gt=1, description="adaptive: the larger, the less λ moves")

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the loss, with a memory of every sample's λ if it is adaptive."""
        if self.adaptive:
            return _Adaptive(self.margin, self.spread, self.alpha)
        return PerSample(
            partial(label_distributionally_robust, margin=self.margin, spread=self.spread)
        )


class _Adaptive(Strategy):
    def __init__(self, margin: float, first: float, alpha: float) -> None:
        self._margin, self._first, self._alpha = margin, first, alpha

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self.spread = torch.full((len(sampler),), float(self._first), device=sampler.device)

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        logits = scaled(logits)
        spread = adapted_spread(logits, self.spread[batch.rows], self._first, self._alpha)
        self.spread[batch.rows] = spread
        return adaptive_loss(logits, batch.labels, spread, self._margin, self._first, self._alpha)

    def state_dict(self) -> dict[str, Any]:
        return {"spread": self.spread}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.spread = state["spread"]
