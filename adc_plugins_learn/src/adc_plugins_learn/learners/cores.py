"""CORES: cross-entropy minus its mean over labels, on samples that a sieve lets through."""

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
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


def _every_label(logits: Tensor) -> Tensor:
    return -(logits.softmax(dim=1) + 1e-8).log()


def sieve_scores(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute CE minus its mean over all labels: B scores; above 0 a label counts as wrong."""
    return cross_entropy(logits, labels) - _every_label(logits).mean(dim=1)


def confidence_regularized(
    logits: Tensor, labels: Tensor, beta: float, prior: Tensor | None = None
) -> Tensor:
    """Compute CE − β·Σ_k π_k·(−log(p_k + 10⁻⁸)).

    Args:
        logits: B × K.
        labels: B int64 class indices.
        beta: β.
        prior: K, π; without it uniform.

    Returns:
        B losses, of either sign.
    """
    every = _every_label(logits)
    expected = every.mean(dim=1) if prior is None else every @ prior.to(every.dtype)
    return cross_entropy(logits, labels) - beta * expected


def sieved_mean(losses: Tensor, kept: Tensor) -> Tensor:
    """Average over the rows that are kept; 0 if none is."""
    return (losses * kept).sum() / kept.sum().clamp_min(1)


def beta_at(epoch: int, epochs: int, final: float = 2) -> float:
    """Schedule β: 0 for a tenth of the epochs, then rising for three tenths, then final."""
    start, length = round(0.1 * epochs), round(0.3 * epochs)
    if epoch >= start + length:
        return final
    return final * max(0, epoch - start) / max(length - 1, 1)


class Cores(NetworkLearner):
    """Trains towards confident predictions and sieves out labels that they contradict.

    Loss: CE − β·Σ_k π_k·(−log p_k), over samples with CE ≤ mean_k(−log p_k) once 30 % of the
    epochs are over; π are the frequencies of the labels that passed in the epoch before. Cheng et
    al., "Learning with instance-dependent label noise: a sample sieve approach", ICLR 2021.
    Official, of 100 epochs: β = 0 for 10, rising to 2 over 30; learning rate divided by 1 + β.
    Here the same parts of any number of epochs; its second, semi-supervised phase is left out.

    Traps: the loss is usually negative. Officially without momentum: with it and β = 2 a large
    learning rate diverges. Samples with scores *above* 0 count as wrong.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "momentum": 0,
            "batch_size": 64,
            "milestones": (50,),
        }
    )
    """The official code's first phase."""

    beta: float = Field(2, ge=0, description="β: final weight of the regularizer")

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the regularized loss with the sieve and the labels' frequencies."""
        return _Sieved(self.beta)


class _Sieved(Strategy):
    def __init__(self, beta: float) -> None:
        self._beta = beta

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self._counts = torch.bincount(sampler.labels, minlength=sampler.n_classes)
        self._dropped = torch.zeros_like(self._counts)

    def begin_epoch(self, epoch: int, networks: Networks) -> None:
        passed = (self._counts - self._dropped).clamp_min(0)
        self._prior = passed / passed.sum().clamp_min(1)
        self._dropped = torch.zeros_like(self._counts)

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        batch = self.sampler.batch(plan.rows)
        logits = networks[0](batch.images)
        return Step(self.sieved(logits, batch, epoch), batch.rows, logits)

    def sieved(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        """Average the loss over the labels that pass the sieve, and count the others."""
        beta = beta_at(epoch, self.epochs, self._beta)
        losses = confidence_regularized(logits, batch.labels, beta, self._prior)
        kept = torch.ones_like(losses)
        if epoch > round(0.3 * self.epochs):
            kept = (sieve_scores(logits.detach(), batch.labels) <= 0).to(losses.dtype)
            self._dropped += torch.bincount(batch.labels[kept == 0], minlength=len(self._counts))
        return sieved_mean(losses, kept)

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        super().tune(optimizer, rate / (1 + beta_at(epoch, self.epochs, self._beta)), epoch)

    def state_dict(self) -> dict[str, Any]:
        return {"dropped": self._dropped}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._dropped = state["dropped"]
