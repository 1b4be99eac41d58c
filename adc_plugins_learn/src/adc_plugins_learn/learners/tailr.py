"""TaiLr: cross-entropy whose weight falls with the probability of the label."""

from functools import partial

from pydantic import Field
from torch import Tensor

from adc_core import Dataset
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import PerSample, Strategy, Switch


def tailr_loss(logits: Tensor, labels: Tensor, gamma: float = 0.1, floor: float = 0) -> Tensor:
    """Compute -w log p_y with w = p_y / (gamma + (1 - gamma) p_y), which has no gradient.

    Args:
        logits: B × K.
        labels: B int64 class indices.
        gamma: 0 < gamma ≤ 1; towards 0 as cross-entropy, 1 has the gradient of 1 - p_y.
        floor: least weight.

    Returns:
        B losses.
    """
    losses = cross_entropy(logits, labels)
    likely = (-losses.detach()).exp()
    weights = (likely / (gamma + (1 - gamma) * likely)).clamp_min(floor)
    return weights * losses


class TaiLr(NetworkLearner):
    """Trains by cross-entropy that counts a label less the less likely the network finds it.

    Loss: -sg[p_y / (gamma + (1 − gamma) p_y)] log p_y, a bound of the total variation between
    labels and predictions. Ji et al., "Tailoring language generation models under total variation
    distance", ICLR 2023, for words; gamma = 0.1 here. The adaptive one of AdaTaiLr is not this.

    Traps: with a large gamma labels that the network finds unlikely, as all are at the start, teach
    nothing: begin by cross-entropy (`warm_up`). A small gamma doubts little: in our tests with 40 %
    of wrong labels 0.1 gains nothing over cross-entropy, and 0.9 does.
    """

    gamma: float = Field(
        default=0.1, gt=0, le=1, description="0: as cross-entropy, 1: as absolute error"
    )
    floor: float = Field(default=0, ge=0, le=1, description="least weight of a label")
    warm_up: float = Field(
        default=0.1, ge=0, le=1, description="part of the epochs by cross-entropy, first"
    )

    def strategy(self, dataset: Dataset) -> Strategy:
        """Return the weighted loss, after cross-entropy."""
        return Switch(
            PerSample(partial(tailr_loss, gamma=self.gamma, floor=self.floor)), self.warm_up
        )
