"""Early-learning regularisation: predictions are held near their own running average."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import Strategy


def averaged(memory: Tensor, probabilities: Tensor, beta: float) -> Tensor:
    """Compute β·memory + (1 − β)·probabilities, of B × K each; without gradient."""
    return beta * memory + (1 - beta) * probabilities.detach()


def bounded_probabilities(logits: Tensor) -> Tensor:
    """Compute B × K probabilities, clamped to 10⁻⁴ … 1 − 10⁻⁴."""
    return logits.softmax(dim=1).clamp(1e-4, 1 - 1e-4)


def early_learning_penalty(logits: Tensor, targets: Tensor) -> Tensor:
    """Compute log(1 − ⟨t, p⟩): B numbers, negative, smallest where p agrees with t.

    Args:
        logits: B × K.
        targets: B × K, the averages.
    """
    return (1 - (targets * bounded_probabilities(logits)).sum(dim=1)).log()


class EarlyLearningRegularization(NetworkLearner):
    """Trains by cross-entropy, while holding predictions near what was learned early.

    Loss: CE + λ·log(1 − ⟨t, p⟩) with t ← β·t + (1 − β)·p, a memory of N × K that begins at 0 and
    takes in the present prediction before the loss does. Liu et al., "Early-learning
    regularization prevents memorization of noisy labels", NeurIPS 2020. Official: β = 0.7, λ = 3
    for ten classes with symmetric noise; 0.9 and 1 for asymmetric; 0.9 and 7 for a hundred.

    Traps: the penalty is negative and its sign is +λ. The memory needs a few epochs to fill up:
    in short trainings raise neither β nor the learning rate.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "learning_rate": 0.02,
            "weight_decay": 0.001,
            "epochs": 150,
            "schedule": "cosine",
            "restart_epochs": 10,
            "final_learning_rate": 0.001,
        }
    )
    """The official code's for ten classes, with restarts."""

    takes_criterion: ClassVar[bool] = True

    beta: float = Field(default=0.7, ge=0, lt=1, description="weight of the memory in the average")
    weight: float = Field(default=3, ge=0, description="λ: weight of the penalty")

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return cross-entropy and the penalty, with the memory."""
        return _EarlyLearning(self.beta, self.weight)


class _EarlyLearning(Strategy):
    def __init__(self, beta: float, weight: float) -> None:
        self._beta, self._weight = beta, weight

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        super().begin(sampler, epochs)
        self.memory = torch.zeros(len(sampler), sampler.n_classes, device=sampler.device)

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        p = bounded_probabilities(logits.detach())
        p = p / p.sum(dim=1, keepdim=True)
        targets = averaged(self.memory[batch.rows], p, self._beta)
        self.memory[batch.rows] = targets
        penalty = early_learning_penalty(logits, targets)
        return self.criterion(logits, batch.labels) + self._weight * penalty

    def state_dict(self) -> dict[str, Any]:
        return {"memory": self.memory}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.memory = state["memory"]
