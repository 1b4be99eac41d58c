"""NMTune: a learned mapping of a frozen network's features, whose spectrum is kept rich."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.heads import Output
from adc_plugins_learn.training.optimizer import OptimizerName
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy

_DOMINANT = 5
"""Singular values that are to keep a part of the sum."""


def feature_consistency(mapped: Tensor, frozen: Tensor) -> Tensor:
    """Compute the mean squared difference of B × D features of unit length; frozen get no gradient.

    The mean is over features as well, so that it weighs the less the more there are.
    """
    unit, target = nn.functional.normalize(mapped), nn.functional.normalize(frozen.detach())
    distance: Tensor = ((unit - target) ** 2).mean()
    return distance


def feature_covariance(mapped: Tensor) -> Tensor:
    """Compute the sum of squared covariances of different features, divided by D."""
    centered = mapped - mapped.mean(dim=0)
    covariance = centered.T @ centered / (len(mapped) - 1)
    different = covariance - torch.diag(covariance.diagonal())
    total: Tensor = different.square().sum() / mapped.shape[1]
    return total


def dominant_share(mapped: Tensor) -> Tensor:
    """Compute the mean part that the five largest singular values of B × D features have of all.

    With five features or rows at most it is a constant.
    """
    if not torch.isfinite(mapped).all():
        return mapped.sum() * torch.nan  # a training that diverges, of which the loop tells
    values = torch.linalg.svdvals(mapped)
    share: Tensor = (values / values.sum())[:_DOMINANT].mean()
    return share


class NMTune(NetworkLearner):
    """Trains a mapping of a frozen network's features, for networks pretrained on noisy labels.

    Of two views of an image the frozen features f and g = f + scale · MLP(f); the last layer takes
    g. Loss: cross-entropy of both + ‖unit g of one − unit f of the other‖², averaged over B × D +
    0.04 · squared covariances of different features / D − 0.001 · mean part of the five largest
    singular values. Chen et al., "Understanding and mitigating the label noise in pre-training on
    downstream tasks", ICLR 2024; optimizer and rates as in its published command (30 epochs,
    cosine).

    In the paper it improves the transfer of encoders that were pretrained on noisy labels. It is
    not against wrong labels of the dataset: give it a `criterion` for these.

    Traps: set `weights`, for the frozen network is of no use at random weights. Features that the
    dataset has are not read, since a model has to predict images. Of digits, from a small network
    that was pretrained on labels of which 40 % were wrong, it names .971 by 200 samples of another
    task; the mapping by cross-entropy alone .967, a linear layer .944, training all layers .976.
    """

    takes_criterion: ClassVar[bool] = True

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"learning_rate": 1e-3, "weight_decay": 1e-4}
    )
    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "optimizer_options": {},
            "learning_rate": 1e-3,
            "weight_decay": 1e-4,
            "schedule": "cosine",
            "milestones": (),
        }
    )

    optimizer: OptimizerName = Field(default="adamw", description="what makes the steps")
    learning_rate: float = Field(default=1e-3, gt=0, le=1000, description="at the start")
    weight_decay: float = Field(default=1e-4, ge=0, le=1, description="L2 penalty")
    consistency_weight: float = Field(
        default=1,
        ge=0,
        description="weight of the distance to the frozen features of the other view",
    )
    covariance_weight: float = Field(
        default=0.04, ge=0, description="weight of squared covariances"
    )
    dominance_weight: float = Field(
        default=0.001, ge=0, description="weight of the part of the largest singular values"
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the four losses together."""
        return _Mapped(self)


class _Mapped(Strategy):
    output = Output("nmtune")

    def __init__(self, options: NMTune) -> None:
        self._options = options

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        first, second = (self.sampler.batch(plan.rows) for _ in range(2))
        found = networks[0](torch.cat([first.images, second.images]))
        K, B, options = self.sampler.n_classes, len(first.rows), self._options
        logits, features = found[:, :K], found[:, K:].float()
        mapped, frozen = features.chunk(2, dim=1)
        losses = self.criterion(logits, torch.cat([first.labels, second.labels]))
        loss = losses.mean()
        loss = loss + options.consistency_weight * feature_consistency(mapped[B:], frozen[:B])
        loss = loss + options.covariance_weight * feature_covariance(mapped)
        if options.dominance_weight:
            loss = loss - options.dominance_weight * dominant_share(mapped)
        return Step(loss, first.rows, logits[:B])
