"""Two networks that learn from samples of small loss: how many, and with which optimizer."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.optimizer import OptimizerName
from adc_plugins_learn.training.parts import BoundCriterion
from adc_plugins_learn.training.schedule import ScheduleName, decay_start
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy


def forget_rate_at(epoch: int, final: float, gradual_epochs: int) -> float:
    """Schedule the part of a batch that is forgotten, which rises linearly from 0."""
    if epoch >= gradual_epochs:
        return final
    return final * epoch / max(gradual_epochs - 1, 1)


Choice = Callable[[Tensor, Tensor, float], Tensor]
"""B losses, their labels and the forget rate to the rows that are learned from."""


def small_loss_rows(losses: Tensor, labels: Tensor, forget_rate: float) -> Tensor:
    """Return rows of the smallest losses, smallest first: ⌊(1 − f)·B⌋, but at least one.

    Args:
        losses: B.
        labels: of no matter here; see `small_loss_rows_of_each_class`.
        forget_rate: f.
    """
    count = max(1, int((1 - forget_rate) * len(losses)))
    return losses.detach().argsort(stable=True)[:count]


def small_loss_rows_of_each_class(losses: Tensor, labels: Tensor, forget_rate: float) -> Tensor:
    """Return as many rows, but each label's smallest losses: those of rare classes are all large.

    Rows are taken by their rank among the losses of their label, as a part of how many these are.

    Args:
        losses: B.
        labels: B int64 given labels.
        forget_rate: f.
    """
    order = losses.detach().argsort(stable=True)
    order = order[labels[order].argsort(stable=True)]  # by label, then by loss
    counts = torch.bincount(labels)
    starts = counts.cumsum(0) - counts
    ordered = labels[order]
    ranks = torch.arange(len(order), device=losses.device) - starts[ordered]
    parts = torch.empty_like(losses.detach())
    parts[order] = (ranks + 0.5).to(parts.dtype) / counts[ordered]
    count = max(1, int((1 - forget_rate) * len(losses)))
    return parts.argsort(stable=True)[:count]


PairLoss = Callable[[Tensor, Tensor, Tensor, float, BoundCriterion, Choice], Tensor]
"""Logits of both networks, labels, forget rate, criterion and choice to one number."""


class PairStrategy(Strategy):
    """Both networks see the same batch; one number of both logits is made smaller.

    Args:
        function: what is made smaller.
        forget_rate: final part of a batch that is forgotten.
        gradual_epochs: until then.
        late_momentum: Adam's first beta from the epoch `late` on.
        late: that epoch.
        choice: which rows of a batch are learned from.
    """

    n_networks = 2

    def __init__(
        self,
        function: PairLoss,
        forget_rate: float,
        gradual_epochs: int,
        late_momentum: float,
        late: int,
        choice: Choice,
    ) -> None:
        self._choice = choice
        self._function = function
        self._forget_rate, self._gradual_epochs = forget_rate, gradual_epochs
        self._late_momentum, self._late = late_momentum, late

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        """Compute one loss of both networks; the dynamics are those of the first."""
        batch = self.sampler.batch(plan.rows)
        first, second = (network(batch.images) for network in networks)
        forgotten = forget_rate_at(epoch, self._forget_rate, self._gradual_epochs)
        return Step(
            self._function(first, second, batch.labels, forgotten, self.criterion, self._choice),
            batch.rows,
            first,
        )

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        """Set the rate, and lower Adam's momentum once its rate falls."""
        super().tune(optimizer, rate, epoch)
        if epoch >= self._late:
            for group in optimizer.param_groups:
                if "betas" in group:
                    group["betas"] = (self._late_momentum, group["betas"][1])


class SmallLossPair(NetworkLearner):
    """Trains two networks on the samples of small loss, by Adam whose rate falls in the end."""

    takes_criterion: ClassVar[bool] = True

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "learning_rate": 1e-4,
            "schedule": "linear",
            "decay_from": 0.25,
            "weight_decay": 0,
            "forget_rate": 0.3,
        }
    )

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "optimizer_options": {},
            "learning_rate": 0.001,
            "weight_decay": 0,
            "schedule": "linear",
            "epochs": 200,
            "forget_rate": 0.4,
        }
    )
    """The official plan of Adam; forgets as many as the worst labels of CIFAR-10N have wrong."""

    optimizer: OptimizerName = Field(default="adam", description="what makes the steps")
    learning_rate: float = Field(default=1e-3, gt=0, le=1000, description="at the start")
    weight_decay: float = Field(default=0, ge=0, le=1, description="L2 penalty")
    schedule: ScheduleName = Field(default="linear", description="of the learning rate")
    forget_rate: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="part of a batch that is forgotten in the end: noise rate",
    )
    within_classes: bool = Field(
        default=False,
        description="forget the same part of each label's samples, for long tails; else rare "
        "classes, whose losses are large, are forgotten first",
    )
    gradual_epochs: int = Field(default=10, ge=1, description="epochs until so many are forgotten")
    late_momentum: float = Field(
        default=0.1, ge=0, lt=1, description="Adam's first beta once the linear schedule falls"
    )

    def paired(self, function: PairLoss) -> PairStrategy:
        """Make a function of both logits, labels and forget rate smaller."""
        late = decay_start(self) if self.schedule == "linear" else self.epochs
        return PairStrategy(
            function,
            self.forget_rate,
            self.gradual_epochs,
            self.late_momentum,
            late,
            small_loss_rows_of_each_class if self.within_classes else small_loss_rows,
        )
