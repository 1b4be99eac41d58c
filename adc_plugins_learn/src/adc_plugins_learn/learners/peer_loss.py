"""Peer loss: agreeing with labels that were drawn without looking at the picture is punished."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import Field
from torch import Tensor

from adc_core.records.dataset import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import Networks, Portion, Step, Strategy, Switch

AGAINST_ZERO = 1e-5


def given_probability(logits: Tensor, labels: Tensor) -> Tensor:
    """B probabilities of the given labels."""
    return logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]


def peer_loss(
    logits: Tensor,
    labels: Tensor,
    peer_logits: Tensor,
    peer_labels: Tensor,
    alpha: float = 1,
    epsilon: float = AGAINST_ZERO,
) -> Tensor:
    """Mean of −log(p_y + ε) less alpha times the same mean over mismatched pairs.

    Args:
        logits: B × K.
        labels: B int64 given labels.
        peer_logits: B × K of pictures drawn at random.
        peer_labels: B labels drawn at random, independently of the pictures.
        alpha: weight of the peer term.
        epsilon: ε, which bounds that term.

    Returns:
        One number, in nats.
    """
    own = -(given_probability(logits, labels) + epsilon).log().mean()
    return own + alpha * (given_probability(peer_logits, peer_labels) + epsilon).log().mean()


class PeerStrategy(Strategy):
    """Each step takes, besides its batch, as many pictures and labels drawn independently.

    Args:
        function: logits, labels, peer logits, peer labels to one number.
    """

    def __init__(self, function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> None:
        self._function = function

    def portions(self, epoch: int) -> list[Portion]:
        """Every sample once, and as many drawn pictures."""
        return [
            Portion(rows, others=self.samples.drawn(len(rows))) for rows in self.samples.shuffled()
        ]

    def step(self, portion: Portion, networks: Networks, epoch: int) -> Step:
        """The loss of a batch and its peers, who pass through the network by themselves."""
        assert portion.others is not None
        batch, peers = self.samples.batch(portion.rows), self.samples.batch(portion.others)
        labels = self.samples.labels[self.samples.drawn(len(portion.rows)).to(batch.rows.device)]
        logits, peer_logits = networks[0](batch.images), networks[0](peers.images)
        loss = self._function(logits, batch.labels, peer_logits, labels)
        return Step(loss, batch.rows, logits)


class PeerLearner(NetworkLearner):
    """Trains by cross-entropy, then by a loss that compares with randomly drawn pairs."""

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({"warm_up": 0.5, "later_rate": 1e-6})

    warm_up: float = Field(
        0.5, ge=0, le=1, description="part of the epochs by cross-entropy, first"
    )
    later_rate: float | None = Field(
        None, gt=0, le=1000, description="learning rate afterwards; none: the schedule goes on"
    )

    def compared(self, function: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> Switch:
        """Cross-entropy, then a function of logits, labels, peer logits and peer labels."""
        return Switch(PeerStrategy(function), self.warm_up, self.later_rate)


class PeerLoss(PeerLearner):
    """Trains by cross-entropy less cross-entropy on randomly matched pictures and labels.

    Loss: CE(x_i, y_i) − alpha·CE(x_a, y_b), with a and b drawn independently and CE = −log(p + ε),
    ε = 10⁻⁵. Liu & Guo, "Peer loss functions: learning from noisy labels without knowing noise
    rates", ICML 2020. Official code raises alpha from 0 to 20 (sparse noise) or 5 (uniform) over
    300 epochs. The ADC paper: cross-entropy for the first half, then this at the constant
    learning rate 10⁻⁶, at which a network hardly moves: the preset `adc` does so; by default the
    schedule goes on.

    Traps: picture and label of a pair must be drawn independently. A large alpha at a large
    learning rate collapses to one class. Two forward and backward passes a step.
    """

    alpha: float = Field(1, ge=0, description="weight of the peer term")

    def strategy(self, dataset: Dataset) -> Switch:
        """Cross-entropy, then peer loss."""
        return self.compared(partial(peer_loss, alpha=self.alpha))
