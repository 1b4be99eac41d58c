"""ELR+: early-learning regularisation with two networks, averaged weights and mixup."""

import math
from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from adc_core import Dataset
from adc_plugins_learn.learners.elr import averaged, early_learning_penalty
from adc_plugins_learn.learners.mixup import mixed_cross_entropy, sample_beta
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.networks.architecture import Combine
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


def average_decay(step: int, final: float = 0.997, ramp_steps: int = 40_000) -> float:
    """Schedule the decay of an average of weights by steps, counted from 0: near 0 early."""
    part = min(step + 1, ramp_steps) / ramp_steps
    return final * math.exp(-5 * (1 - part) ** 2)


class EarlyLearningRegularizationPlus(NetworkLearner):
    """Trains two networks on blends, each held near what the other's average predicts.

    Loss: mixup's CE + λ·log(1 − ⟨t, p⟩), where t averages the predictions that the *other*
    network's running average of parameters makes of the plain images, and is blended like them;
    its BatchNorm takes the statistics of the batch, as in the official code.
    Liu et al., "Early-learning regularization prevents memorization of noisy labels", NeurIPS
    2020. Official: β = 0.7, λ = 3 for ten classes, β = 0.9, λ = 7 for a hundred, alpha = 1,
    average 0.997 after 40,000 steps; off for Clothing1M, as it is here with `average_decay: 0`.

    Traps: in trainings far shorter than `ramp_steps` the averages follow the networks at once.
    Both networks see the same batches here, blended differently; the official code lets them take
    turns. Predictions are those of the summed logits. Training dynamics are those of the second
    network's average on plain images. Costs two networks and two passes more without gradient.
    """

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({"average_decay": 0})

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "backbone": "preact-resnet18",
            "learning_rate": 0.02,
            "epochs": 200,
            "milestones": (150,),
        }
    )
    """The official code's for ten classes."""

    takes_criterion: ClassVar[bool] = True

    beta: float = Field(default=0.7, ge=0, lt=1, description="weight of the memory in the average")
    weight: float = Field(default=3, ge=0, description="λ: weight of the penalty")
    alpha: float = Field(default=1, ge=0.01, description="of mixup's Beta distribution")
    average_decay: float = Field(
        default=0.997,
        ge=0,
        lt=1,
        description="what the averages of weights keep of themselves a step",
    )
    ramp_steps: int = Field(default=40_000, ge=1, description="steps until they keep so much")

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return both losses, with the memories and the averages."""
        return _EarlyLearningPair(self)


class _EarlyLearningPair(Strategy):
    n_networks = 2
    combine: Combine = "logits"

    def __init__(self, options: EarlyLearningRegularizationPlus) -> None:
        self._options = options
        self._averages: list[nn.Module] = []
        self._kept: list[dict[str, Tensor]] = []

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self.memory = torch.zeros(2, len(sampler), sampler.n_classes, device=sampler.device)
        self._steps = 0

    def begin_epoch(self, epoch: int, networks: Networks) -> None:
        if not self._averages:
            # Training mode, as in the official code: with the batch's own statistics.
            self._averages = [
                deepcopy(network).train().requires_grad_(False) for network in networks
            ]
            for average, kept in zip(self._averages, self._kept, strict=False):
                average.load_state_dict(kept)

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        batch = self.sampler.batch(plan.rows)
        with torch.no_grad():
            predicted = [average(batch.images) for average in self._averages]
        losses = [
            self._loss(batch, number, network, predicted[1 - number])
            for number, network in enumerate(networks)
        ]
        return Step(losses[0] + losses[1], batch.rows, predicted[1])

    def _loss(self, batch: Batch, number: int, network: nn.Module, predicted: Tensor) -> Tensor:
        options, rows = self._options, batch.rows
        targets = averaged(self.memory[number, rows], predicted.softmax(dim=1), options.beta)
        self.memory[number, rows] = targets
        share = float(sample_beta(options.alpha))
        share = max(share, 1 - share)
        order = torch.randperm(len(rows), generator=self.sampler.generator).to(rows.device)
        logits = network(share * batch.images + (1 - share) * batch.images[order])
        own = mixed_cross_entropy(logits, batch.labels, batch.labels[order], share, self.criterion)
        blended = share * targets + (1 - share) * targets[order]
        return (own + options.weight * early_learning_penalty(logits, blended)).mean()

    def after_update(self, networks: Networks) -> None:
        keep = average_decay(self._steps, self._options.average_decay, self._options.ramp_steps)
        self._steps += 1
        for average, network in zip(self._averages, networks, strict=True):
            torch._foreach_lerp_(
                list(average.parameters()), [p.detach() for p in network.parameters()], 1 - keep
            )

    def state_dict(self) -> dict[str, Any]:
        averages = [average.state_dict() for average in self._averages]
        return {"memory": self.memory, "steps": self._steps, "averages": averages}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.memory, self._steps, self._kept = state["memory"], state["steps"], state["averages"]
