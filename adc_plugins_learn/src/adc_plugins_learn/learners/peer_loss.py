"""Peer loss: agreeing with labels drawn at random is punished."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy, Switch

AGAINST_ZERO = 1e-5


def given_probability(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute B probabilities of the given labels."""
    return logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]


def peer_loss(
    logits: Tensor,
    labels: Tensor,
    peer_logits: Tensor,
    peer_labels: Tensor,
    alpha: float = 1,
    epsilon: float = AGAINST_ZERO,
) -> Tensor:
    """Compute the mean of −log(p_y + ε) minus alpha times that mean over mismatched pairs.

    Args:
        logits: B × K.
        labels: B int64 given labels.
        peer_logits: B × K of images drawn at random.
        peer_labels: B labels drawn at random, independently of the images.
        alpha: weight of the peer term.
        epsilon: ε, which bounds that term.

    Returns:
        One number, in nats.
    """
    own = -(given_probability(logits, labels) + epsilon).log().mean()
    return own + alpha * (given_probability(peer_logits, peer_labels) + epsilon).log().mean()


class PeerStrategy(Strategy):
    """Each step takes, besides its batch, as many images and labels drawn independently.

    Args:
        function: logits, labels, peer logits, peer labels to one number.
        rate: a constant learning rate in place of the schedule's.
    """

    def __init__(
        self, function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor], rate: float | None
    ) -> None:
        self._function, self._rate = function, rate

    def plan_epoch(self, epoch: int) -> list[BatchPlan]:
        """Plan every sample once, and as many images drawn at random."""
        return [
            BatchPlan(rows, extra_rows=self.sampler.sample_with_replacement(len(rows)))
            for rows in self.sampler.shuffled_batches()
        ]

    def step(self, plan: BatchPlan, networks: Networks, epoch: int) -> Step:
        """Compute the loss of a batch and its peers, which pass through the network separately."""
        assert plan.extra_rows is not None
        batch, peers = self.sampler.batch(plan.rows), self.sampler.batch(plan.extra_rows)
        labels = self.sampler.labels[
            self.sampler.sample_with_replacement(len(plan.rows)).to(batch.rows.device)
        ]
        logits, peer_logits = networks[0](batch.images), networks[0](peers.images)
        loss = self._function(logits, batch.labels, peer_logits, labels)
        return Step(loss, batch.rows, logits)

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        """Set the learning rate, which may be constant."""
        super().tune(optimizer, rate if self._rate is None else self._rate, epoch)


class PeerLearner(NetworkLearner):
    """Trains by cross-entropy, then by a loss that compares with randomly drawn pairs."""

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({"warm_up": 0.5, "later_rate": 1e-6})

    warm_up: float = Field(
        0.5, ge=0, le=1, description="part of the epochs by cross-entropy, first"
    )
    later_rate: float | None = Field(
        None, gt=0, le=1000, description="learning rate afterwards; none: the schedule continues"
    )

    def compared(self, function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> Switch:
        """Return cross-entropy, then a function of logits, labels, peer logits and peer labels."""
        return Switch(PeerStrategy(function, self.later_rate), self.warm_up)


class PeerLoss(PeerLearner):
    """Trains by cross-entropy less cross-entropy on randomly matched images and labels.

    Loss: CE(x_i, y_i) − alpha·CE(x_a, y_b), with a and b drawn independently and CE = −log(p + ε),
    ε = 10⁻⁵. Liu & Guo, "Peer loss functions: learning from noisy labels without knowing noise
    rates", ICML 2020. Official code raises alpha from 0 to 20 (sparse noise) or 5 (uniform) over
    300 epochs. The ADC paper: cross-entropy for the first half, then this at the constant
    learning rate 10⁻⁶, at which a network hardly moves: the preset `adc` does so; by default the
    schedule continues.

    Traps: image and label of a pair must be drawn independently. A large alpha at a large
    learning rate collapses to one class. Two forward and backward passes a step.
    """

    alpha: float = Field(1, ge=0, description="weight of the peer term")

    def strategy(self, dataset: Dataset) -> Switch:
        """Return cross-entropy, then peer loss."""
        return self.compared(partial(peer_loss, alpha=self.alpha))
