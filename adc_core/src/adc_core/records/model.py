"""What a learner returns: something that predicts, remembers how it was made, and is saved."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from adc_core.arrays.validation import Matrix
from adc_core.images.sequence import Images
from adc_core.records.design import ClassName
from adc_core.records.evidence import Dynamics
from adc_core.records.record import Record


class Predictions(Record):
    """Class probabilities for a sequence of images.

    Attributes:
        probabilities: N × K float32, rows sum to one.
        classes: K names.
    """

    probabilities: Matrix
    classes: tuple[ClassName, ...]

    @property
    def labels(self) -> NDArray[np.int64]:
        """N int64: the most probable class of each image; ties: the first wins."""
        labels: NDArray[np.int64] = self.probabilities.argmax(axis=1).astype(np.int64)
        return labels


class Epoch(Record):
    """One line of a training history.

    Attributes:
        epoch: from 1.
        loss: mean training loss.
        accuracy: share of training samples whose given label was predicted.
        validation_accuracy: the same on the validation set, or None.
        member_accuracies: of several networks that predict together, that of each by itself.
    """

    epoch: int
    loss: float
    accuracy: float
    validation_accuracy: float | None = None
    member_accuracies: tuple[float, ...] = ()


class Model(ABC):
    """A trained model."""

    classes: tuple[str, ...]
    history: tuple[Epoch, ...]
    dynamics: Dynamics | None
    """Training dynamics of the samples it learned from, in their order."""

    @abstractmethod
    def predict(self, images: Images) -> Predictions:
        """Predict class probabilities of images, in their order."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model into a new folder; the same model writes the same bytes."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read a saved model; nothing in the folder is executed."""
