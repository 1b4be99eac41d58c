"""UDA: images without labels are to be predicted alike, however they are changed."""

from collections.abc import Mapping
from math import exp
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.consistency import (
    TwoViewLearner,
    consistency_losses,
    look_twice,
)
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy

Annealing = Literal["none", "linear", "exp", "log"]

_STEEPNESS = 5


def annealed_threshold(progress: float, n_classes: int, annealing: Annealing) -> float:
    """Compute the probability of its label above which a sample is not learned from, for now.

    It rises from chance, 1/K, to 1: along a line, late (exp) or early (log).

    Args:
        progress: how much of the training is over, 0 … 1.
        n_classes: K.
        annealing: how it rises; none: 1 from the beginning.
    """
    part = {
        "none": 1.0,
        "linear": progress,
        "exp": exp(_STEEPNESS * (progress - 1)),
        "log": 1 - exp(-_STEEPNESS * progress),
    }[annealing]
    return part * (1 - 1 / n_classes) + 1 / n_classes


def annealed_mean(losses: Tensor, logits: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """Average losses over the samples whose label is not more probable than a threshold.

    Args:
        losses: B.
        logits: B × K.
        labels: B int64.
        threshold: 0 … 1.

    Returns:
        One number; 0 where no sample counts.
    """
    given = logits.detach().softmax(dim=1).gather(1, labels[:, None])[:, 0]
    kept = (given <= threshold).to(losses.dtype)
    return (losses * kept).sum() / kept.sum().clamp_min(1)


class UnsupervisedDataAugmentation(TwoViewLearner):
    """Learns from labels, and from images without them by two views that shall agree.

    For a dataset in which `set-aside` has voided labels. Loss: cross-entropy of labeled images, and
    of `unlabeled_ratio` times as many others KL(softmax(z/T) of a weak view, without gradient, ‖
    prediction of a strong view), where the weak one is surer than `min_confidence`, averaged over
    all of them. Xie et al., "Unsupervised data augmentation for consistency training", NeurIPS
    2020. Official for CIFAR-10: batches of 64 and 448, T 0.4, confidence 0.8, learning rate 0.03,
    a wide residual network of 500,000 steps, RandAugment. Without samples set aside it is plain
    cross-entropy, which is a baseline.

    Traps: images of no class are pulled to one of them, so drop what `linear-separation` flags.
    What detectors flag are the hard samples too, unlike the random ones of the paper. `annealing`
    holds learned samples back while labels are few; of noisy labels it learns the wrong ones late.
    """

    takes_criterion: ClassVar[bool] = True
    takes_unlabeled: ClassVar[bool] = True

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"batch_size": 64, "learning_rate": 0.03, "weight_average": 0.9999}
    )
    """As the official code has it for CIFAR-10."""

    unlabeled_ratio: int = Field(
        default=7, ge=1, le=100, description="images without labels per labeled one, in a batch"
    )
    unlabeled_weight: float = Field(default=1, ge=0, description="weight of images without labels")
    temperature: float = Field(
        default=0.4, gt=0, le=1, description="sharpens the weak view's prediction"
    )
    min_confidence: float = Field(
        default=0.8, ge=0, lt=1, description="other predictions of the weak view do not count"
    )
    annealing: Annealing = Field(
        default="none",
        description="labels that are predicted with more than a threshold are not learned: it "
        "rises to 1 along a line, late (exp) or early (log)",
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return cross-entropy of the labels that count, and agreement of the other images."""
        return _Augmented(self, torch.from_numpy(dataset.labeled.copy()))


class _Augmented(Strategy):
    def __init__(self, options: UnsupervisedDataAugmentation, labeled: Tensor) -> None:
        self._options = options
        self._labeled, self._others = (part.nonzero()[:, 0] for part in (labeled, ~labeled))

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        """Plan every labeled image once, each batch with further images."""
        if len(self._others) < 2:  # BatchNorm cannot normalize one image
            plans = [BatchPlan(rows) for rows in self.sampler.shuffled_batches(self._labeled)]
        else:
            size = min(self.sampler.batch_size * self._options.unlabeled_ratio, len(self._others))
            others = self.sampler.endless_batches(self._others, size, by_labels=False)
            plans = [
                BatchPlan(rows, extra_rows=next(others))
                for rows in self.sampler.shuffled_batches(self._labeled)
            ]
        count = len(plans)
        return [
            BatchPlan(plan.rows, plan.extra_rows, epoch_fraction=place / count)
            for place, plan in enumerate(plans)
        ]

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        options = self._options
        progress = (epoch + plan.epoch_fraction) / self.epochs
        threshold = annealed_threshold(progress, self.sampler.n_classes, options.annealing)
        if plan.extra_rows is None:
            batch = self.sampler.batch(plan.rows)
            logits = networks[0](batch.images)
            losses = self.criterion(logits, batch.labels)
            return Step(annealed_mean(losses, logits, batch.labels, threshold), batch.rows, logits)
        seen = look_twice(self.sampler, networks[0], plan, options.further)
        losses = self.criterion(seen.own, seen.batch.labels)
        loss = annealed_mean(losses, seen.own, seen.batch.labels, threshold)
        agreement = consistency_losses(
            seen.plain, seen.strong, options.temperature, options.min_confidence
        )
        return Step(
            loss + options.unlabeled_weight * agreement.mean(),
            torch.cat([seen.batch.rows, seen.rows]),
            torch.cat([seen.own, seen.plain]),
        )
