"""CORES: cross-entropy minus its mean over labels, on samples that a sieve lets through."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.consistency import (
    TwoViewLearner,
    consistency_losses,
    look_twice,
)
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
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


class Cores(TwoViewLearner):
    """Trains towards confident predictions and sieves out labels that they contradict.

    Loss: CE − β·Σ_k π_k·(−log p_k), over samples with CE ≤ mean_k(−log p_k) once 30 % of the
    epochs are over; π are the frequencies of the labels that passed in the epoch before. Cheng et
    al., "Learning with instance-dependent label noise: a sample sieve approach", ICLR 2021.
    Official, of 100 epochs: β = 0 for 10, rising to 2 over 30; learning rate divided by 1 + β.
    Here the same parts of any number of epochs. With `second_phase` it is CORES*: in the last part
    of the epochs the labels that pass are learned by cross-entropy, and of the other images a
    strong view is to be predicted as a weak one is, where that is sure, as by Xie et al.,
    "Unsupervised data augmentation for consistency training", NeurIPS 2020. The sieve is then that
    of the network at the start of the phase; officially another network begins anew.

    Traps: the loss is usually negative. Officially without momentum: with it and β = 2 a large
    learning rate diverges, and in a short first phase whole classes go out of use: lower β there.
    Samples with scores *above* 0 count as wrong.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "momentum": 0,
            "batch_size": 64,
            "milestones": (50,),
        }
    )
    """The official code's first phase."""

    beta: float = Field(default=2, ge=0, description="β: final weight of the regularizer")
    second_phase: float = Field(
        default=0, ge=0, lt=1, description="part of the epochs, last, that is semi-supervised"
    )
    unlabeled_weight: float = Field(
        default=1, ge=0, description="weight of images without labels in the second phase"
    )
    temperature: float = Field(
        default=0.4, gt=0, le=1, description="second phase: sharpens the weak view's prediction"
    )
    min_confidence: float = Field(
        default=0.8,
        ge=0,
        lt=1,
        description="second phase: other predictions than these do not count",
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the regularized loss with the sieve and the labels' frequencies."""
        return _Phases(self) if self.second_phase else _Sieved(self.beta)


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


class _Phases(Strategy):
    """The sieve, whose schedules end with it, then consistency."""

    def __init__(self, options: Cores) -> None:
        self._options = options
        self._first, self._second = _Sieved(options.beta), _Consistent(options)

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self._start = epochs - round(self._options.second_phase * epochs)
        self._first.begin(sampler, self._start)
        self._second.begin(sampler, epochs)

    def at_epoch(self, epoch: int) -> Strategy:
        return self._first if epoch < self._start else self._second

    def state_dict(self) -> dict[str, Any]:
        return {"first": self._first.state_dict(), "second": self._second.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._first.load_state_dict(state["first"])
        self._second.load_state_dict(state["second"])


class _Consistent(Strategy):
    """Labels that passed the sieve once, and agreement of two views of the other images."""

    def __init__(self, options: Cores) -> None:
        self._options = options
        self._kept: Tensor | None = None

    def begin_epoch(self, epoch: int, networks: Networks) -> None:
        if self._kept is None:
            labels = self.sampler.labels
            self._kept = sieve_scores(self.sampler.evaluate(networks[0]), labels).cpu() <= 0
            if not self._kept.any():
                self._kept = torch.ones_like(self._kept)

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        """Plan every image at least once, labeled or not; those of the smaller part come again."""
        assert self._kept is not None
        labeled, others = (part.nonzero()[:, 0] for part in (self._kept, ~self._kept))
        if len(others) < 2:  # BatchNorm cannot normalize one image
            return super().plan_epoch(epoch)
        size = self.sampler.batch_size
        steps = max(-(-len(labeled) // size), -(-len(others) // size))
        first = self.sampler.endless_batches(labeled)
        second = self.sampler.endless_batches(others, by_labels=False)
        return [BatchPlan(next(first), extra_rows=next(second)) for _ in range(steps)]

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        if plan.extra_rows is None:
            return super().step(plan, networks, epoch)
        options = self._options
        seen = look_twice(self.sampler, networks[0], plan, options.further)
        agreement = consistency_losses(
            seen.plain, seen.strong, options.temperature, options.min_confidence
        )
        loss = cross_entropy(seen.own, seen.batch.labels).mean()
        return Step(
            loss + options.unlabeled_weight * agreement.mean(),
            torch.cat([seen.batch.rows, seen.rows]),
            torch.cat([seen.own, seen.plain]),
        )

    def state_dict(self) -> dict[str, Any]:
        return {"kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._kept = state["kept"]
