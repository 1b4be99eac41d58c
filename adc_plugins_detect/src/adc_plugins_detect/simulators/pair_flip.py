"""Pair flips: a share of every class gets the label of the next class."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Corruption, Dataset, Simulator
from adc_plugins_detect.simulators.class_conditional import corrupt


def pair_flip_transition(n_classes: int, rate: float) -> NDArray[np.float64]:
    """Make the K × K matrix that moves a share of each class to the next one, row = true."""
    transition = np.eye(n_classes) * (1 - rate)
    transition += np.roll(np.eye(n_classes), 1, axis=1) * rate
    return transition


class PairFlipNoise(Simulator):
    """Gives a share of every class the label of the next class."""

    stream: ClassVar[str] = "by class"

    rate: float = Field(
        default=0.2,
        ge=0,
        lt=0.5,
        description="share that flips; from a half on the wrong label is the rule",
    )
    seed: int = Field(
        default=0, ge=0, description="seed; for one seed a lower rate's errors are kept"
    )

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Draw noisy labels for the dataset."""
        transition = pair_flip_transition(len(dataset.classes), self.rate)
        return corrupt(dataset.labels, transition, self.seed)
