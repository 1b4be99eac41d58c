"""Symmetric label noise: a wrong label is any class, with equal chance."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Corruption, Dataset, Simulator
from adc_plugins_detect.simulators.class_conditional import corrupt


def symmetric_transition(
    n_classes: int, rate: float, *, inclusive: bool = False
) -> NDArray[np.float64]:
    """Make the K × K matrix of symmetric noise, row = true class.

    Args:
        n_classes: K.
        rate: share of labels that are drawn anew.
        inclusive: draw among all classes, so that only `rate` (K - 1) / K labels are wrong,
            and not among the other classes.
    """
    drawn_among = n_classes if inclusive else n_classes - 1
    transition = np.full((n_classes, n_classes), rate / drawn_among)
    np.fill_diagonal(transition, 1 - rate * (n_classes - 1) / drawn_among)
    return transition


class SymmetricNoise(Simulator):
    """Gives a share of the samples another label, any class with equal chance."""

    stream: ClassVar[str] = "by class"

    rate: float = Field(default=0.2, ge=0, le=1, description="share of labels that are drawn anew")
    inclusive: bool = Field(
        default=False, description="draw among all classes, the true one too, instead of the others"
    )
    seed: int = Field(
        default=0, ge=0, description="seed; for one seed a lower rate's errors are kept"
    )

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Draw noisy labels for the dataset."""
        transition = symmetric_transition(len(dataset.classes), self.rate, inclusive=self.inclusive)
        return corrupt(dataset.labels, transition, self.seed)
