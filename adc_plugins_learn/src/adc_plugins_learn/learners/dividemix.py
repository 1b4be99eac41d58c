"""DivideMix: labels that look wrong are dropped, and their images learned without labels."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from adc_core import Dataset
from adc_plugins_learn.learners.mixup import sample_beta
from adc_plugins_learn.methods.dividemix_losses import (
    balanced_subset,
    clean_probability,
    clean_probability_within,
    guessed_targets,
    negative_entropy,
    normalized,
    refined_targets,
    semi_supervised_loss,
    unlabeled_weight_at,
)
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.architecture import Combine
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


class DivideMix(NetworkLearner):
    """Trains two networks that tell each other which labels to trust, semi-supervised.

    After a warm-up, each epoch fits two Gaussians to each network's losses; samples of the lower
    one keep their labels for the *other* network, refined by its own predictions, and the rest
    get labels that both networks guess. Blends of all are learned: cross-entropy where labels were
    kept, λ times squared error elsewhere, and a penalty that keeps all classes in use. Li et al.,
    "DivideMix: learning with noisy labels as semi-supervised learning", ICLR 2020. Official for
    CIFAR: `alpha` 4, λ 0 to 150 by noise rate, batches of 64, warm-up 10 epochs of 300, learning
    rate 0.02. λ matters most, and 0, the default here, is best for labels of people. The preset
    `adc` is its Clothing1M recipe: each network judges a subset of its own, in which no label is
    more frequent than it would be if all were alike, and only blends of images whose labels are
    kept are learned (`balanced_batches`, `unlabeled_blends`).

    Traps: it needs a start at which right labels have the smaller losses, so a warm-up neither too
    short nor too long. Losses of rare classes are all large, so their labels count as wrong first:
    set `within_classes`. Training dynamics are the first network's at the start of each epoch, not
    augmented. Predictions are those of the summed logits. A step costs about eight of
    cross-entropy, forward passes of two views of two batches included; five without the blends of
    images that have no labels.
    """

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "learning_rate": 0.002,
            "step_epochs": 10,
            "step_factor": 0.1,
            "warm_up": 0.05,
            "alpha": 0.5,
            "unlabeled_weight": 0,
            "balanced_batches": 1000,
            "unlabeled_blends": False,
        }
    )

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "backbone": "preact-resnet18",
            "batch_size": 64,
            "learning_rate": 0.02,
            "epochs": 300,
            "milestones": (150,),
            "warm_up": 0.034,
        }
    )
    """The official code's for ten classes, but λ = 0."""

    renamed_options: ClassVar[Mapping[str, str]] = MappingProxyType(
        {**NetworkLearner.renamed_options, "unlabelled_weight": "unlabeled_weight"}
    )

    takes_criterion: ClassVar[bool] = True

    warm_up: float = Field(
        default=0.1, ge=0, lt=1, description="part of the epochs by cross-entropy, first"
    )
    tempered: bool = Field(
        default=True, description="punish confidence in the warm-up; not for symmetric noise"
    )
    alpha: float = Field(default=4, ge=0.01, description="of the Beta distribution that blends")
    temperature: float = Field(
        default=0.5, gt=0, le=1, description="sharpens targets; 1: not at all"
    )
    threshold: float = Field(
        default=0.5, ge=0, lt=1, description="probability above which a label counts as right"
    )
    within_classes: bool = Field(
        default=False,
        description="fit the Gaussians to the losses of each label's samples apart, for long tails",
    )
    unlabeled_weight: float = Field(
        default=0, ge=0, description="λ: weight of images without labels, after 16 epochs"
    )
    remembered_epochs: int = Field(
        default=1, ge=1, description="epochs whose losses are averaged; 5 for 90 % noise"
    )
    balanced_batches: int | None = Field(
        default=None,
        ge=1,
        description="train each epoch on so many batches of random samples, of each label a K-th "
        "at most; none: on all samples",
    )
    unlabeled_blends: bool = Field(
        default=True,
        description="learn blends whose larger part has no label, too; false: only those of images "
        "with labels, as the official code does for Clothing1M",
    )

    @model_validator(mode="after")
    def _check_blends(self) -> Self:
        if self.unlabeled_weight and not self.unlabeled_blends:
            raise ValueError("unlabeled_weight needs unlabeled_blends: set one of them otherwise")
        return self

    def strategy(self, dataset: Dataset) -> Strategy:
        """Warm up, divide, mix."""
        return _Divided(self)


class _Divided(Strategy):
    n_networks = 2
    combine: Combine = "logits"

    def __init__(self, options: DivideMix) -> None:
        self._options = options

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        # Without any training there is nothing to divide by.
        self._start = max(1, round(self._options.warm_up * epochs))
        self._past: list[list[Tensor]] = [[], []]

    def begin_epoch(self, epoch: int, networks: Networks) -> Tensor | None:
        if epoch < self._start:
            return None
        each = [self.sampler.evaluate(network) for network in networks]
        self._subsets = [self._subset(1) for _ in range(2)]
        self._clean = [self._judge(number, logits) for number, logits in enumerate(each)]
        return each[0]

    def _subset(self, batches: int) -> Tensor | None:
        """Draw the rows of an epoch, on the CPU, in their order: none means all.

        Args:
            batches: of the batch size, in each of those asked for.
        """
        count = self._options.balanced_batches
        if count is None:
            return None
        return balanced_subset(
            self.sampler.labels.cpu(),
            count * batches * self.sampler.batch_size,
            self.sampler.n_classes,
            self.sampler.generator,
        )

    def _judge(self, number: int, logits: Tensor) -> Tensor:
        """Estimate N probabilities that labels are right, by one network: −1 outside its subset."""
        past = self._past[number]
        past.append(normalized(self.criterion(logits, self.sampler.labels)))
        del past[: -self._options.remembered_epochs]
        losses, subset = torch.stack(past).mean(dim=0), self._subsets[number]
        if subset is None:
            return self._looks_right(losses, self.sampler.labels)
        rows = subset.to(losses.device)
        clean = torch.full_like(losses, -1)
        clean[rows] = self._looks_right(normalized(losses[rows]), self.sampler.labels[rows])
        return clean

    def _looks_right(self, losses: Tensor, labels: Tensor) -> Tensor:
        if self._options.within_classes:
            return clean_probability_within(losses, labels)
        return clean_probability(losses)

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        """Plan all steps of one network, then all of the other."""
        if epoch < self._start:
            size = 2 * self.sampler.batch_size
            return [
                BatchPlan(rows, network_index=number)
                for number in range(2)
                for rows in self.sampler.shuffled_batches(self._subset(2), batch_size=size)
            ]
        return [*self._divided(0), *self._divided(1)]

    def _divided(self, number: int) -> list[BatchPlan]:
        """Plan the steps of one network, on the other's division."""
        labeled, others = self._division(self._clean[1 - number].cpu())
        batches = self.sampler.shuffled_batches(labeled)
        steps = len(labeled) // self.sampler.batch_size + 1
        pool: list[Tensor] = []
        plans = []
        for step, rows in enumerate(batches):
            if not pool and len(others):
                pool = self.sampler.shuffled_batches(others, by_labels=False)
            plans.append(BatchPlan(rows, pool.pop(0) if pool else None, number, step / steps))
        return plans

    def _division(self, clean: Tensor) -> tuple[Tensor, Tensor]:
        """Split rows into at least a batch whose labels count as right, and the others."""
        order = clean.argsort(descending=True, stable=True)[: int((clean >= 0).sum())]
        count = int((clean > self._options.threshold).sum())
        count = max(count, min(self.sampler.batch_size, len(order)))
        return order[:count].sort().values, order[count:].sort().values

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        learner, other = networks[plan.network_index], networks[1 - plan.network_index]
        if epoch < self._start:
            return self._warm_up_step(plan, learner)
        images, targets, labeled = self._blend(plan, learner, other)
        weight = unlabeled_weight_at(
            epoch + plan.epoch_fraction, self._options.unlabeled_weight, self._start
        )
        loss = semi_supervised_loss(learner(images), targets, labeled, weight, self.criterion)
        return Step(loss, plan.rows, None)

    def _warm_up_step(self, plan: BatchPlan, learner: nn.Module) -> Step:
        batch = self.sampler.batch(plan.rows)
        logits = learner(batch.images)
        losses = self.criterion(logits, batch.labels)
        if self._options.tempered:
            losses = losses + negative_entropy(logits)
        return Step(losses, batch.rows, None if plan.network_index else logits)

    @torch.no_grad()
    def _blend(
        self, plan: BatchPlan, learner: nn.Module, other: nn.Module
    ) -> tuple[Tensor, Tensor, int]:
        """Make images and targets of a step; also return how many have labels."""
        temperature = self._options.temperature
        first, second = (self.sampler.batch(plan.rows) for _ in range(2))
        clean = self._clean[1 - plan.network_index][first.rows]
        views = (learner(first.images), learner(second.images))
        targets = [refined_targets(views, first.labels, clean, temperature)] * 2
        images = [first.images, second.images]
        if plan.extra_rows is not None:
            unlabeled = [self.sampler.batch(plan.extra_rows).images for _ in range(2)]
            # Two passes, since each moves the statistics of the learner's BatchNorm; the other
            # network's stay, and with fixed statistics views do not depend on each other.
            own = [learner(view) for view in unlabeled]
            other.eval()
            guessed = other(torch.cat(unlabeled)).chunk(2)
            other.train()
            targets += [guessed_targets((*own, *guessed), temperature)] * 2
            images += unlabeled
        share = float(sample_beta(self._options.alpha))
        share = max(share, 1 - share)
        every, aims = torch.cat(images), torch.cat(targets)
        order = torch.randperm(len(every), generator=self.sampler.generator).to(every.device)
        labeled = 2 * len(plan.rows)
        count = len(every) if self._options.unlabeled_blends else labeled
        mixed, aimed = (share * x[:count] + (1 - share) * x[order[:count]] for x in (every, aims))
        return mixed, aimed, labeled

    def state_dict(self) -> dict[str, Any]:
        return {"past": self._past}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._past = state["past"]
