"""MentorMix: mixup whose partners are samples of small loss."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.learners.mixup import mixed_cross_entropy, sample_beta
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


def next_threshold(losses: Tensor, threshold: float, percentile: float) -> float:
    """Average the threshold before and a percentile of the batch's losses."""
    return threshold / 2 + float(torch.quantile(losses.detach(), percentile / 100)) / 2


def own_shares(draws: Tensor, trusted: Tensor) -> Tensor:
    """Choose how much of itself each sample keeps in a blend: the larger part if it is trusted.

    Args:
        draws: B of a Beta distribution.
        trusted: B bool.
    """
    larger = torch.maximum(draws, 1 - draws)
    return torch.where(trusted, larger, 1 - larger)


def partner_probabilities(trusted: Tensor) -> Tensor:
    """Compute the chance of each of B samples to be blended into others: a softmax of 1 or 0."""
    return trusted.float().softmax(dim=0)


class MentorMix(NetworkLearner):
    """Trains on blends in which samples of small loss have the larger part.

    A loss below a running threshold, half of which each batch renews by its `percentile`, makes a
    sample trusted: v = 1. Partners are drawn by softmax(v); a blend takes max(λ, 1 − λ) of a
    trusted sample and the rest of another, λ ~ Beta(alpha, alpha) for each. Jiang et al., "Beyond
    synthetic noise: deep learning on controlled noisy labels", ICML 2020; the threshold form of
    its MentorNet (Jiang et al., ICML 2018). Official (alpha, percentile) for ten classes: 20 %
    noise (2, 80), 40 % (8, 60), 60 % (8, 60, reweighted), 80 % (4, 20, reweighted). The official
    code evaluates averaged weights: `weight_average: 0.9999`.

    Traps: a percentile above the share of right labels trusts wrong ones. Training dynamics are
    those of plain images. Two forward passes and one backward a step.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "alpha": 8,
            "percentile": 60,
            "weight_average": 0.9999,
        }
    )
    """Official for 40 % noise; evaluated with averaged weights as in cifar_eval.py."""

    takes_criterion: ClassVar[bool] = True

    alpha: float = Field(default=2, ge=0.01, description="of the Beta distribution")
    percentile: float = Field(
        default=80, ge=0, le=100, description="of losses, below which is trusted"
    )
    reweight: bool = Field(
        default=False, description="also leave out blends of large loss: strong noise"
    )
    burn_in: float = Field(
        default=0.1, ge=0, le=1, description="part of the epochs in which all is trusted"
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Judge, blend, and judge again."""
        return _Mentored(self)


class _Mentored(Strategy):
    def __init__(self, options: MentorMix) -> None:
        self._options = options

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self._thresholds = [0.0, 0.0]

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        network, batch = networks[0], self.sampler.batch(plan.rows)
        with torch.no_grad():
            plain = network(batch.images)
        trusted = self._trusted(0, self.criterion(plain, batch.labels), epoch)
        count = len(trusted)
        partners = torch.multinomial(
            partner_probabilities(trusted).cpu(),
            count,
            replacement=True,
            generator=self.sampler.generator,
        ).to(trusted.device)
        draws = sample_beta(self._options.alpha, count).to(trusted.device)
        share = own_shares(draws, trusted)
        wide = share[:, None, None, None]
        logits = network(wide * batch.images + (1 - wide) * batch.images[partners])
        losses = mixed_cross_entropy(
            logits, batch.labels, batch.labels[partners], share, self.criterion
        )
        if self._options.reweight:
            losses = losses * self._trusted(1, losses, epoch)
        return Step(losses, batch.rows, plain)

    def _trusted(self, which: int, losses: Tensor, epoch: int) -> Tensor:
        """Return which losses of a batch are below the running threshold."""
        threshold = next_threshold(losses, self._thresholds[which], self._options.percentile)
        self._thresholds[which] = threshold
        burning = epoch < round(self._options.burn_in * self.epochs)
        return torch.ones_like(losses, dtype=torch.bool) if burning else losses < threshold

    def state_dict(self) -> dict[str, Any]:
        return {"thresholds": self._thresholds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._thresholds = state["thresholds"]
