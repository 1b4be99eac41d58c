"""Peer loss: agreeing with labels drawn at random is punished."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.strategy import BatchPlan, Networks, Step, Strategy, Switch

AGAINST_ZERO = 1e-5

AlphaSchedule = Literal["constant", "sparse", "uniform"]

_PLANS: Mapping[str, NDArray[np.float64]] = MappingProxyType(
    {
        name: np.concatenate([np.zeros(20), *(np.linspace(*rise) for rise in rises)])
        for name, rises in {
            "sparse": ((0, 1, 20), (1, 2, 50), (2, 5, 50), (5, 10, 100), (10, 20, 100)),
            "uniform": ((0, 0.1, 20), (1, 2, 50), (2, 2.5, 50), (2.5, 3.3, 100), (3.3, 5, 100)),
        }.items()
    }
)
"""From, to, in how many epochs; of these 340 epochs the official code runs 300."""

_OFFICIAL_EPOCHS = 300


def alpha_at(epoch: int, epochs: int, schedule: AlphaSchedule) -> float:
    """Schedule alpha as the official code does for noise of a kind: the same parts of any training.

    Args:
        epoch: counted from 0.
        epochs: of the training.
        schedule: `sparse`, where classes are confused with few others; `uniform`; or 1 throughout.
    """
    if schedule == "constant":
        return 1
    return float(_PLANS[schedule][epoch * _OFFICIAL_EPOCHS // epochs])


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


Compared = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""Logits, labels, peer logits and peer labels to one number."""


class PeerStrategy(Strategy):
    """Each step takes, besides its batch, as many images and labels drawn independently.

    Args:
        function: logits, labels, peer logits, peer labels to one number.
        rate: a learning rate in place of the schedule's.
        milestones: epochs of the training after which it drops.
        factor: what a drop multiplies by.
        reset: whether the optimizer forgets its momentum at the start of each epoch.
    """

    def __init__(
        self,
        function: Compared,
        rate: float | None = None,
        milestones: tuple[int, ...] = (),
        factor: float = 1,
        reset: bool = False,
    ) -> None:
        self.function = function
        self._rate, self._milestones, self._factor = rate, milestones, factor
        self._reset, self._tuned = reset, -1

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
        loss = self.function(logits, batch.labels, peer_logits, labels)
        return Step(loss, batch.rows, logits)

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        """Set the learning rate, which may be the method's own, and forget the momentum."""
        if self._reset and epoch != self._tuned:
            optimizer.state.clear()
        self._tuned = epoch
        if self._rate is not None:
            drops = sum(milestone <= epoch for milestone in self._milestones)
            rate = self._rate * self._factor**drops
        super().tune(optimizer, rate, epoch)


class _RisingPeer(PeerStrategy):
    """Peer loss whose alpha follows a plan; the learning rate is divided by 1 + alpha.

    Args:
        alpha: what the plan is multiplied by.
        schedule: the plan.
        later: what `PeerStrategy` takes further.
    """

    def __init__(self, alpha: float, schedule: AlphaSchedule, later: Mapping[str, Any]) -> None:
        super().__init__(partial(peer_loss, alpha=alpha), **later)
        self._alpha, self._schedule = alpha, schedule

    def begin_epoch(self, epoch: int, networks: Networks) -> None:
        self.function = partial(peer_loss, alpha=self._alpha_at(epoch))

    def _alpha_at(self, epoch: int) -> float:
        return self._alpha * alpha_at(epoch, self.epochs, self._schedule)

    def tune(self, optimizer: torch.optim.Optimizer, rate: float, epoch: int) -> None:
        super().tune(optimizer, rate, epoch)
        for group in optimizer.param_groups:
            group["lr"] /= 1 + self._alpha_at(epoch)


class PeerLearner(NetworkLearner):
    """Trains by cross-entropy, then by a loss that compares with randomly drawn pairs."""

    adc: ClassVar[Mapping[str, Any]] = MappingProxyType({"warm_up": 0.5, "later_rate": 1e-6})

    warm_up: float = Field(
        default=0.5, ge=0, le=1, description="part of the epochs by cross-entropy, first"
    )
    later_rate: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="learning rate afterwards; none: the schedule continues",
    )
    later_milestones: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(),
        description="epochs, counted from the first, after which later_rate is multiplied by "
        "step_factor",
    )
    reset_optimizer: bool = Field(
        default=False, description="forget the momentum at the start of each epoch afterwards"
    )

    @property
    def later(self) -> dict[str, Any]:
        """What `PeerStrategy` takes besides its function."""
        return {
            "rate": self.later_rate,
            "milestones": self.later_milestones,
            "factor": self.step_factor,
            "reset": self.reset_optimizer,
        }

    def compared(self, function: Compared) -> Switch:
        """Return cross-entropy, then a function of logits, labels, peer logits and peer labels."""
        return Switch(PeerStrategy(function, **self.later), self.warm_up)


class PeerLoss(PeerLearner):
    """Trains by cross-entropy less cross-entropy on randomly matched images and labels.

    Loss: CE(x_i, y_i) − alpha·CE(x_a, y_b), with a and b drawn independently and CE = −log(p + ε),
    ε = 10⁻⁵. Liu & Guo, "Peer loss functions: learning from noisy labels without knowing noise
    rates", ICML 2020. Official code (weijiaheng/Multi-class-Peer-Loss-functions) raises alpha from
    0 to 16 (`sparse` noise) or 4 (`uniform`) over 300 epochs, divides the learning rate by
    1 + alpha, and makes a new optimizer in each epoch: `alpha_schedule` and `reset_optimizer`, and
    the preset `cifar-n`, which leaves out its rotations and its choice of the best epoch. The ADC
    paper: cross-entropy for the first half, then alpha = 1 at the constant learning rate 10⁻⁶, at
    which a network hardly moves: the preset `adc` does so; by default the schedule continues.

    Traps: image and label of a pair must be drawn independently. A large alpha at a large
    learning rate collapses to one class. Two forward and backward passes a step.
    """

    cifar_n: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "epochs": 300,
            "milestones": tuple(range(40, 300, 40)),
            "weight_decay": 1e-4,
            "warm_up": 0,
            "alpha_schedule": "sparse",
            "reset_optimizer": True,
        }
    )
    """The official code's for sparse noise, as that of people is."""

    alpha: float = Field(
        default=1, ge=0, description="weight of the peer term; a schedule multiplies it"
    )
    alpha_schedule: AlphaSchedule = Field(
        default="constant",
        description="sparse, uniform: alpha rises as in the official code for noise of that kind, "
        "and divides the learning rate",
    )

    def strategy(self, dataset: Dataset) -> Switch:
        """Return cross-entropy, then peer loss."""
        if self.alpha_schedule == "constant":
            return self.compared(partial(peer_loss, alpha=self.alpha))
        rising = _RisingPeer(self.alpha, self.alpha_schedule, self.later)
        return Switch(rising, self.warm_up)
