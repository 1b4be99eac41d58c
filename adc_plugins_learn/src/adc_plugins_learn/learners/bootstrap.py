"""Bootstrapping: targets that mix the given label with the network's own prediction."""

from functools import partial
from typing import Literal

from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import PerSample


def soft_bootstrap(
    logits: Tensor, labels: Tensor, beta: float = 0.95, detach: bool = False
) -> Tensor:
    """Compute −Σ (β·e_y + (1 − β)·p)·log p.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        beta: trust in the label.
        detach: no gradient through the target; then nothing is left but CE scaled by β.

    Returns:
        B losses, in nats.
    """
    log_p = logits.log_softmax(dim=1)
    target = log_p.exp().detach() if detach else log_p.exp()
    entropy = -(target * log_p).sum(dim=1)
    return beta * cross_entropy(logits, labels) + (1 - beta) * entropy


def hard_bootstrap(logits: Tensor, labels: Tensor, beta: float = 0.8) -> Tensor:
    """Compute β·CE of the given label + (1 − β)·CE of the predicted one.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        beta: trust in the label.

    Returns:
        B losses, in nats.
    """
    predicted = cross_entropy(logits, logits.argmax(dim=1))
    return beta * cross_entropy(logits, labels) + (1 - beta) * predicted


class Bootstrap(NetworkLearner):
    """Trains towards a mixture of the given label and what the network itself believes.

    Loss: CE with the target β·e_y + (1 − β)·p (soft) or β·e_y + (1 − β)·one-hot(argmax p) (hard).
    Reed et al., "Training deep neural networks on noisy labels with bootstrapping", ICLR
    workshop 2015. Official: β = 0.95 soft, 0.8 hard.

    Traps: the soft target keeps its gradient, an entropy term; detached, the loss would be CE
    scaled by β. A network that has memorised believes the wrong labels: in trainings as long as
    that, our tests' among them, nothing is gained.
    """

    target: Literal["soft", "hard"] = Field(
        default="hard", description="probabilities, or their largest"
    )
    beta: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="trust in the label; without it 0.95 soft and 0.8 hard",
    )

    def strategy(self, dataset: Dataset) -> PerSample:
        """Return the loss of the chosen target."""
        if self.target == "soft":
            return PerSample(partial(soft_bootstrap, beta=self.beta or 0.95))
        return PerSample(partial(hard_bootstrap, beta=self.beta or 0.8))
