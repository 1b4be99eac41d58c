"""What a method may do otherwise than plain training: hooks, each with the obvious default."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from adc_core.components import ResultFault
from adc_plugins_learn.training.data.sampler import Batch, TrainingSampler
from adc_plugins_learn.training.networks.architecture import Combine
from adc_plugins_learn.training.networks.heads import PLAIN, Output
from adc_plugins_learn.training.parts import BoundCriterion, cross_entropy

Networks = Sequence[nn.Module]


@dataclass(frozen=True)
class BatchPlan:
    """What one step takes.

    Attributes:
        rows: B rows of the dataset whose labels are learned from.
        extra_rows: further rows, whose labels are not used.
        network_index: which of several networks learns, where they take turns.
        epoch_fraction: how much of the epoch is over, where a method counts it by itself.
    """

    rows: Tensor
    extra_rows: Tensor | None = None
    network_index: int = 0
    epoch_fraction: float = 0

    @property
    def all_rows(self) -> Tensor:
        """All rows whose images the step asks for."""
        return self.rows if self.extra_rows is None else torch.cat([self.rows, self.extra_rows])


@dataclass(frozen=True)
class Step:
    """What one step found.

    Attributes:
        losses: numbers whose mean is minimized, one or more. Networks on which it does not depend
            stay as they are.
        rows: B rows of the dataset.
        logits: B × K, of these rows: for the training dynamics; None records nothing.
        weights: as many as there are losses; with them their weighted sum is minimized.
    """

    losses: Tensor
    rows: Tensor
    logits: Tensor | None
    weights: Tensor | None = None

    @property
    def objective(self) -> Tensor:
        """The number to minimize."""
        return self.losses.mean() if self.weights is None else (self.weights * self.losses).sum()


class Strategy:
    """A method. The loop calls the hooks; most methods override `loss` alone.

    Whatever is random is drawn from `sampler.generator` or from torch's global generator on the
    CPU: checkpoints keep both.

    Attributes:
        n_networks: how many are trained, by one optimizer over all parameters.
        combine: how several of them predict together.
        output: the head that turns the last layer's numbers into logits.
        criterion: the loss of one sample, from logits and indices or probabilities of classes;
            the loop replaces it by that of the options before `begin`.
        sampler: the training set.
        epochs: of the whole training.
    """

    n_networks: int = 1
    combine: Combine = "probabilities"
    output: Output = PLAIN
    criterion: BoundCriterion = staticmethod(cross_entropy)
    sampler: TrainingSampler
    epochs: int

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        """Allocate memories, before the first epoch and before a checkpoint is restored."""
        self.sampler, self.epochs = sampler, epochs

    def at_epoch(self, epoch: int) -> "Strategy":
        """Return the strategy whose hooks the loop calls in this epoch: this one, or a part."""
        return self

    def begin_epoch(self, epoch: int, networks: Networks) -> Tensor | None:
        """Compute what is fixed for the epoch, by `sampler.evaluate(network)` where need be.

        Returns:
            N × K logits for the training dynamics, if the steps do not give them.
        """
        return None

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        """Plan the steps of an epoch; by default every sample once, in random order."""
        return [BatchPlan(rows) for rows in self.sampler.shuffled_batches()]

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        """Set the optimizer's numbers before a step; `rate` is the schedule's learning rate."""
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("rate_factor", 1)

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        """Run the networks on a batch; by default the first one, for the mean of `loss`."""
        batch = self.sampler.batch(plan.rows)
        logits = networks[0](batch.images)
        losses = self.loss(logits, batch, epoch)
        if losses.shape != batch.rows.shape:
            raise ResultFault(
                f"loss returned a tensor of shape {tuple(losses.shape)} for a batch of "
                f"{len(batch.rows)}: return one loss for each sample"
            )
        return Step(losses, batch.rows, logits)

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        """Compute B losses, whose mean is minimized, from B × K logits; here the criterion."""
        return self.criterion(logits, batch.labels)

    def after_update(self, networks: Networks) -> None:
        """Follow the optimizer's step: averages of weights and the like."""

    def end_epoch(self, epoch: int, networks: Networks, validation_accuracy: float | None) -> None:
        """Follow an epoch; the loop asks the whole strategy, not the part for this epoch."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must keep: tensors, numbers and strings."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""


class PerSample(Strategy):
    """A method that is nothing but a function of logits and labels.

    Args:
        function: B × K logits and B labels to B losses.
    """

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._function = function

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        """Call the function."""
        return self._function(logits, batch.labels)


class Switch(Strategy):
    """Plain cross-entropy for the first part of the epochs, then another method.

    The method begins at epoch `round(warm_up · epochs)`, counted from 0; until then everything,
    random draws included, is as in plain training.

    Args:
        then: the method, of one network.
        warm_up: the part, 0 … 1.
    """

    def __init__(self, then: Strategy, warm_up: float) -> None:
        self._plain, self.then, self.output = Strategy(), then, then.output
        self._warm_up = warm_up

    def begin(self, sampler: TrainingSampler, epochs: int) -> None:
        """Find the epoch at which the method begins."""
        super().begin(sampler, epochs)
        self.start = round(self._warm_up * epochs)
        for strategy in (self._plain, self.then):
            strategy.criterion = self.criterion
            strategy.begin(sampler, epochs)

    def at_epoch(self, epoch: int) -> Strategy:
        """Return plain training, or the method once it has begun."""
        return (self.then if epoch >= self.start else self._plain).at_epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return the method's state, which exists from the beginning."""
        return self.then.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the method's state."""
        self.then.load_state_dict(state)
