"""Nested dropout: features in an order of importance, of which few are enough."""

from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.methods.hold_out import hold_out
from adc_plugins_learn.methods.layer_inputs import layer_inputs
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.heads import FirstFeatures, Output
from adc_plugins_learn.training.networks.stages import unwrapped
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Strategy

_PRICE = 1e-5
"""Of each further feature, in accuracy: equal widths, the smallest wins."""


def accuracy_by_width(features: Tensor, weights: Tensor, labels: Tensor) -> Tensor:
    """Compute accuracies with the first 1, 2, … D features.

    Args:
        features: N × D.
        weights: K × D of a linear layer without bias.
        labels: N int64 class indices.
    """
    logits = torch.zeros(len(features), len(weights), device=features.device)
    right = []
    for column, weight in zip(features.T, weights.T, strict=True):
        logits += torch.outer(column, weight)
        right.append((logits.argmax(dim=1) == labels).float().mean())
    return torch.stack(right)


def best_width(accuracies: Tensor) -> int:
    """Choose how many features to keep, each of which costs 10⁻⁵ of accuracy."""
    price = _PRICE * torch.arange(len(accuracies), dtype=torch.float64)
    return 1 + int((accuracies.double().cpu() - price).argmax())


class NestedDropout(NetworkLearner):
    """Trains on the first features of a random number, so that few of them carry what is learned.

    Between the pooled features and a last layer without bias each batch keeps the first k, k drawn
    as exp(−(k/`spread`)²), without rescaling. Predictions use the k that is best on a held-out part
    of the training set. Chen et al., "Compressing features for learning with noisy labels", TNNLS
    2022; official: spread 10 for ten classes of CIFAR, 100 for Clothing1M, from ImageNet weights.
    `variant: plain` is the paper's other compression.

    Traps: the official k is chosen on clean, for ANIMAL-10N on test images; here the held-out
    labels are as given. Features far beyond `spread` are never trained. Held-out samples are not
    learned and have no training dynamics. With `select_epoch: best` a network keeps the k of the
    epoch before. The paper goes on with co-teaching of two such networks, which is not here. In
    our tests it delays what a network memorizes: by 9 epochs it gains .11 and .15 of accuracy, by
    16 nothing.
    """

    takes_criterion: ClassVar[bool] = True

    variant: Literal["nested", "plain"] = Field(
        default="nested",
        description="the first features are kept; plain: each is dropped by chance",
    )
    spread: float = Field(
        default=100,
        gt=0,
        description="of the number of kept features; at most a fifth of them is taken",
    )
    rate: float = Field(
        default=0.3, ge=0, lt=1, description="plain: chance that a feature is dropped"
    )
    held_out: float = Field(
        default=0.1,
        gt=0,
        lt=1,
        description="nested: part of each class's samples that chooses the number",
    )

    @model_validator(mode="after")
    def _check_average(self) -> Self:
        if self.weight_average:
            raise ValueError(
                "weight_average: the number of features is chosen for the weights themselves: "
                "leave it"
            )
        return self

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return cross-entropy of the first features."""
        return _Nested(self)


class _Nested(Strategy):
    def __init__(self, options: NestedDropout) -> None:
        self._nested, self._share = options.variant == "nested", options.held_out
        numbers: dict[str, Any] = {"spread": options.spread}
        self.output = Output("nested-dropout", numbers if self._nested else {"rate": options.rate})

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self._learned = self._judging = torch.arange(len(sampler))
        if self._nested:
            self._learned, self._judging = hold_out(
                sampler.labels, sampler.n_classes, self._share, sampler.generator
            )

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        return [BatchPlan(rows) for rows in self.sampler.shuffled_batches(self._learned)]

    def end_epoch(self, epoch: int, networks: Networks, validation_accuracy: float | None) -> None:
        """Choose how many features to keep."""
        if not self._nested:
            return
        network = unwrapped(networks[0])
        head = next(module for module in network.modules() if isinstance(module, FirstFeatures))
        features, _ = layer_inputs(self.sampler, network, head, self._judging)
        labels = self.sampler.labels[self._judging.to(self.sampler.device)]
        head.keep(best_width(accuracy_by_width(features, head.linear.weight.detach(), labels)))
