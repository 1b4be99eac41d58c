"""What a method may do otherwise than plain training: hooks, each with the obvious default."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from adc_core.components.plugin_faults import ResultFault
from adc_plugins_learn.training.networks import PLAIN, Output, Vote
from adc_plugins_learn.training.samples import Batch, Samples

Networks = Sequence[nn.Module]


@dataclass(frozen=True)
class Portion:
    """What one step takes.

    Attributes:
        rows: B rows of the dataset whose labels are learned from.
        others: further rows, whose labels are not.
        network: which of several networks learns, where they take turns.
        done: the part of the epoch that is over, where a method counts it by itself.
    """

    rows: Tensor
    others: Tensor | None = None
    network: int = 0
    done: float = 0

    @property
    def every_row(self) -> Tensor:
        """All rows whose pictures are asked for."""
        return self.rows if self.others is None else torch.cat([self.rows, self.others])


@dataclass(frozen=True)
class Step:
    """What one step found.

    Attributes:
        loss: the number to make smaller. Networks on which it does not depend stay as they are.
        rows: B rows of the dataset.
        logits: B × K, of these rows: for the training dynamics; None notes nothing.
    """

    loss: Tensor
    rows: Tensor
    logits: Tensor | None


class Strategy:
    """A method. The loop calls the hooks; most methods override `loss` alone.

    Whatever is random is drawn from `samples.generator` or from torch's global generator on the
    CPU: both are kept in checkpoints.

    Attributes:
        networks: how many are trained, by one optimizer over all parameters.
        vote: how several of them predict together.
        output: what makes logits of the last layer's numbers.
        samples: the training set.
        epochs: of the whole training.
    """

    networks: int = 1
    vote: Vote = "probabilities"
    output: Output = PLAIN
    samples: Samples
    epochs: int

    def begin(self, samples: Samples, epochs: int) -> None:
        """Before the first epoch and before a checkpoint is taken up: make room for memories."""
        self.samples, self.epochs = samples, epochs

    def begin_epoch(self, epoch: int, networks: Networks) -> Tensor | None:
        """Compute what is fixed for the epoch, by `samples.evaluate(network)` where need be.

        Returns:
            N × K logits for the training dynamics, if the steps do not give them.
        """
        return None

    def portions(self, epoch: int) -> list[Portion]:
        """The steps of an epoch: every sample once, in random order."""
        return [Portion(rows) for rows in self.samples.shuffled()]

    def step(self, portion: Portion, networks: Networks, epoch: int) -> Step:
        """One step: the mean of `loss` over a batch, by the first network."""
        batch = self.samples.batch(portion.rows)
        logits = networks[0](batch.images)
        losses = self.loss(logits, batch, epoch)
        if losses.shape != batch.rows.shape:
            raise ResultFault(
                f"loss returned a tensor of shape {tuple(losses.shape)} for a batch of "
                f"{len(batch.rows)}: return one loss for each sample"
            )
        return Step(losses.mean(), batch.rows, logits)

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        """B losses, whose mean is made smaller, given B × K logits; here cross-entropy."""
        return nn.functional.cross_entropy(logits, batch.labels, reduction="none")

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        """Set the optimizer's numbers before a step; `rate` is the schedule's learning rate."""
        for group in optimizer.param_groups:
            group["lr"] = rate

    def after_update(self, networks: Networks) -> None:
        """After the optimizer's step: averages of weights and the like."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep: tensors, numbers and texts."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""


class PerSample(Strategy):
    """A method that is nothing but a function of logits and labels.

    Args:
        function: B × K logits and B labels to B losses.
    """

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        self._function = function

    def loss(self, logits: Tensor, batch: Batch, epoch: int) -> Tensor:
        """The function's."""
        return self._function(logits, batch.labels)


class Switch(Strategy):
    """Plain cross-entropy for the first part of the epochs, then another method.

    The method begins at epoch `round(warm_up · epochs)`, counted from 0; until then everything,
    random draws included, is as in plain training.

    Args:
        then: the method, of one network.
        warm_up: the part, 0 … 1.
        rate: the learning rate from then on, if the schedule shall not go on.
    """

    def __init__(self, then: Strategy, warm_up: float, rate: float | None = None) -> None:
        self._plain, self.then, self.output = Strategy(), then, then.output
        self._warm_up, self._rate = warm_up, rate

    def begin(self, samples: Samples, epochs: int) -> None:
        """Find the epoch at which the method begins."""
        super().begin(samples, epochs)
        self.start = round(self._warm_up * epochs)
        for strategy in (self._plain, self.then):
            strategy.begin(samples, epochs)

    def begin_epoch(self, epoch: int, networks: Networks) -> Tensor | None:
        """The method's, once it has begun."""
        return self.then.begin_epoch(epoch, networks) if epoch >= self.start else None

    def portions(self, epoch: int) -> list[Portion]:
        """The method's, once it has begun."""
        return self._at(epoch).portions(epoch)

    def step(self, portion: Portion, networks: Networks, epoch: int) -> Step:
        """The method's, once it has begun."""
        self._present = self._at(epoch)
        return self._present.step(portion, networks, epoch)

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        """The method's, at the rate that was given for it."""
        if epoch >= self.start and self._rate is not None:
            rate = self._rate
        self._at(epoch).tune(optimizer, rate, epoch)

    def after_update(self, networks: Networks) -> None:
        """The method's, once it has begun."""
        self._present.after_update(networks)

    def state(self) -> dict[str, Any]:
        """The method's."""
        return self.then.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Give the method what it kept."""
        self.then.restore(state)

    def _at(self, epoch: int) -> Strategy:
        return self.then if epoch >= self.start else self._plain
