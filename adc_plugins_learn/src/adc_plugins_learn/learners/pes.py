"""PES: later parts of a network are trained anew and shortly, then labels that it agrees with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from adc_core import Dataset
from adc_plugins_learn.criteria.class_weighted import class_weights
from adc_plugins_learn.learners.mixup import sample_beta
from adc_plugins_learn.methods.dividemix_losses import guessed_targets, unlabeled_weight_at
from adc_plugins_learn.methods.mixmatch import mixmatch_loss
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.backbones import build_backbone
from adc_plugins_learn.training.networks.stages import freeze_all_but_last, renew_last, unwrapped
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy

_LARGEST_WEIGHT = 3
"""Of a class in the semi-supervised loss."""

Numbers = tuple[Annotated[int, Field(ge=1)], ...]


class ProgressiveEarlyStopping(NetworkLearner):
    """Trains a network, its later parts anew with the others fixed, then on labels it agrees with.

    Later layers are misled by wrong labels first. So after a warm-up the last parts of the network
    get random weights and are trained for a few epochs by Adam, then fewer of them again. From
    then on each epoch predicts every sample by two views, and learns those whose label is the
    predicted class, classes weighted alike; with `semi_supervised` the others, too, by MixMatch.
    Bai et al., "Understanding and improving early stopping for learning with noisy labels",
    NeurIPS 2021. Official (tmllab/2021_NeurIPS_PES) for CIFAR-10: 25 epochs, 7 of the last stage
    and the layer behind it, 7 of that alone, at 10⁻⁴; of 200. The preset `cifar-n` is its
    semi-supervised form for CIFAR-10N: 20 epochs, 5 of the last layer, λ = 5, classes weighted
    at most threefold.

    Traps: the warm-up must end while right labels have won and wrong ones have not. A refinement of
    too few steps leaves the renewed layers unlearned: the labels they agree with are then few, and
    a class of which none is chosen is lost. A part is a child of the network that has weights, or
    one of its `stages`, `features` or `blocks`. Training dynamics are those of the predictions once
    labels are chosen.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "epochs": 300,
            "learning_rate": 0.02,
            "schedule": "cosine",
            "final_learning_rate": 0.0002,
            "warm_up": 20 / 300,
            "refined_parts": (1,),
            "refine_epochs": (5,),
            "refine_learning_rate": 1e-4,
            "semi_supervised": True,
            "unlabeled_weight": 5,
        }
    )
    """The official code's for CIFAR-10N."""

    warm_up: float = Field(
        default=0.2, ge=0, lt=1, description="part of the epochs by cross-entropy, first"
    )
    refined_parts: Numbers = Field(
        default=(2, 1),
        description="how many of the last parts are trained anew, one time after the other",
    )
    refine_epochs: Numbers = Field(default=(2, 2), description="for how many epochs, each time")
    refine_learning_rate: float = Field(
        default=1e-3, gt=0, le=1000, description="learning rate of Adam meanwhile"
    )
    semi_supervised: bool = Field(
        default=False,
        description="learn images without labels where the prediction contradicts them",
    )
    unlabeled_weight: float = Field(
        default=5, ge=0, description="λ: weight of images without labels, after 16 epochs"
    )
    alpha: float = Field(default=4, ge=0.01, description="of the Beta distribution that blends")
    late_alpha: float = Field(
        default=0.75, ge=0.01, description="the same in the second half of the epochs"
    )
    temperature: float = Field(
        default=0.5, gt=0, le=1, description="sharpens targets; 1: not at all"
    )

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if len(self.refined_parts) != len(self.refine_epochs):
            raise ValueError("refined_parts and refine_epochs must be of one length")
        if self.freeze_backbone > self.warm_up:
            raise ValueError(
                "freeze_backbone lasts longer than warm_up, after which other parts are trained "
                "anew: lower it"
            )
        return self

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the stages of the training."""
        return _Progressive(self)


def agreeing_rows(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Return the rows, on the CPU, whose label is the most probable class."""
    return (probabilities.argmax(dim=1) == labels).nonzero()[:, 0].cpu()


class _Progressive(Strategy):
    def __init__(self, options: ProgressiveEarlyStopping) -> None:
        self._options = options
        self._adam: torch.optim.Adam | None = None
        self._kept: dict[str, Any] | None = None

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        # Without any training there is no part to keep.
        start = max(1, round(self._options.warm_up * epochs))
        self._refinements: dict[int, tuple[int, int]] = {}
        for parts, length in zip(
            self._options.refined_parts, self._options.refine_epochs, strict=True
        ):
            self._refinements |= dict.fromkeys(range(start, start + length), (start, parts))
            start += length
        self._chosen_from, self._tuned = start, -1

    def begin_epoch(self, epoch: int, networks: Networks) -> Tensor | None:
        network = unwrapped(networks[0])
        if epoch in self._refinements:
            self._refine(epoch, network)
            return None
        if epoch < self._chosen_from:
            return None
        network.requires_grad_(True)
        self._adam = None
        return self._choose(networks[0])

    def _refine(self, epoch: int, network: nn.Module) -> None:
        start, parts = self._refinements[epoch]
        trained = freeze_all_but_last(network, parts)
        if epoch == start:
            fresh = build_backbone(
                self._options.backbone,
                self.sampler.n_classes,
                arguments=self._options.backbone_options,
            )
            renew_last(network, parts, fresh.to(self.sampler.device))
            self._adam = torch.optim.Adam(trained, lr=self._options.refine_learning_rate)
        elif self._adam is None and self._kept is not None:
            self._adam = torch.optim.Adam(trained, lr=self._options.refine_learning_rate)
            self._adam.load_state_dict(self._kept)

    @torch.no_grad()
    def _choose(self, network: nn.Module) -> Tensor:
        """Choose the labels of an epoch; return N × K logarithms of predicted probabilities."""
        every = torch.arange(len(self.sampler))
        batches = list(torch.split(every, 2 * self.sampler.batch_size))
        self.sampler.prefetch(batches)
        network.eval()
        parts = []
        for rows in batches:
            views = [network(self.sampler.batch(rows).images).softmax(dim=1) for _ in range(2)]
            parts.append((views[0] + views[1]) / 2)
        network.train()
        p, labels = torch.cat(parts), self.sampler.labels
        self._chosen = agreeing_rows(p, labels)
        if len(self._chosen) < 2:
            self._chosen = torch.arange(len(labels))
        chosen = labels[self._chosen.to(labels.device)]
        counts = torch.bincount(chosen, minlength=self.sampler.n_classes).float()
        self._weights = class_weights(counts, "inverse-frequency")
        if self._options.semi_supervised:
            self._weights.clamp_max_(_LARGEST_WEIGHT)
        return p.clamp_min(torch.finfo(p.dtype).tiny).log()

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        if epoch < self._chosen_from:
            return super().plan_epoch(epoch)
        if not self._options.semi_supervised:
            return [BatchPlan(rows) for rows in self.sampler.shuffled_batches(self._chosen)]
        return self._plan_both()

    def _plan_both(self) -> list[BatchPlan]:
        """Plan as many steps as plain training has, of chosen labels and of the other images."""
        size, count = self.sampler.batch_size, len(self.sampler)
        others = torch.ones(count, dtype=torch.bool)
        others[self._chosen] = False
        rest = others.nonzero()[:, 0]
        unlabeled = min(size // 2, len(rest) * size // count)
        steps = max(1, count // size)
        first = self.sampler.endless_batches(self._chosen, size - unlabeled)
        if unlabeled < 2:  # BatchNorm cannot normalize one image
            return [BatchPlan(next(first)) for _ in range(steps)]
        second = self.sampler.endless_batches(rest, unlabeled, by_labels=False)
        return [
            BatchPlan(next(first), next(second), epoch_fraction=step / steps)
            for step in range(steps)
        ]

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        # While Adam refines, the training's optimizer moves nothing; its momentum is of no use.
        super().tune(optimizer, 0 if epoch in self._refinements else rate, epoch)
        if epoch == self._chosen_from != self._tuned:
            optimizer.state.clear()
        self._tuned = epoch

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        if epoch < self._chosen_from:
            return super().step(plan, networks, epoch)
        if self._options.semi_supervised:
            return Step(self._mixed(plan, networks[0], epoch), plan.rows, None)
        batch = self.sampler.batch(plan.rows)
        losses = cross_entropy(networks[0](batch.images), batch.labels)
        weights = self._weights[batch.labels]
        return Step(losses, batch.rows, None, weights / weights.sum())

    def _mixed(self, plan: BatchPlan, network: nn.Module, epoch: int) -> Tensor:
        options, late = self._options, epoch >= self.epochs / 2
        first, second = (self.sampler.batch(plan.rows) for _ in range(2))
        given = nn.functional.one_hot(first.labels, self.sampler.n_classes).float()
        images, targets = [first.images, second.images], [given, given]
        if plan.extra_rows is not None:
            views = [self.sampler.batch(plan.extra_rows).images for _ in range(2)]
            with torch.no_grad():
                guesses = tuple(network(view) for view in views)
            images += views
            targets += [guessed_targets(guesses, options.temperature)] * 2
        share = float(sample_beta(options.late_alpha if late else options.alpha))
        share = max(share, 1 - share)
        every, aims = torch.cat(images), torch.cat(targets)
        order = torch.randperm(len(every), generator=self.sampler.generator).to(every.device)
        mixed, aimed = (share * x + (1 - share) * x[order] for x in (every, aims))
        weight = unlabeled_weight_at(
            epoch + plan.epoch_fraction, options.unlabeled_weight, self._chosen_from
        )
        return mixmatch_loss(network(mixed), aimed, 2 * len(plan.rows), weight, self._weights)

    def after_update(self, networks: Networks) -> None:
        if self._adam is not None:
            self._adam.step()

    def state_dict(self) -> dict[str, Any]:
        return {"adam": None if self._adam is None else self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._kept = state["adam"]
