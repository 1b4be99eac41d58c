"""Evidence columns: what detectors read and encoders, enrichers and learners add."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from adc_core.arrays.validation import Array, Curves, Indices, Labels, Matrix, Tensor3
from adc_core.errors import InputError
from adc_core.records.record import Record


class Neighbors(Record):
    """The k-NN graph of the features: each row's nearest other rows, nearest first.

    Attributes:
        indices: N × k int64 row numbers; a row is never its own neighbor.
        similarities: N × k float32 cosine similarities, not increasing along a row.
        recall: share of the true neighbors that were found: 1 for an exact search, measured on
            a sample for an approximate one.
    """

    indices: Indices
    similarities: Matrix
    recall: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.indices.shape != self.similarities.shape:
            raise ValueError(
                f"indices are {self.indices.shape} but similarities {self.similarities.shape}"
            )
        rows = len(self.indices)
        outside = (self.indices < 0) | (self.indices >= rows)
        if outside.any():
            raise ValueError(
                f"row {int(outside.any(axis=1).argmax())} names a row outside 0…{rows - 1}"
            )
        own = (self.indices == np.arange(rows)[:, None]).any(axis=1)
        if own.any():
            raise ValueError(f"row {int(own.argmax())} is its own neighbor: leave it out")
        return self

    @property
    def k(self) -> int:
        """How many neighbors each row has."""
        return int(self.indices.shape[1])

    def first(self, k: int) -> tuple[Array, Array]:
        """Cut indices and similarities to the k nearest.

        Raises:
            InputError: the graph holds fewer than k neighbors.
        """
        if k > self.k:
            raise InputError(f"the graph holds {self.k} neighbors a sample but {k} are needed")
        return self.indices[:, :k], self.similarities[:, :k]


class Probabilities(Record):
    """Predicted class probabilities.

    Attributes:
        values: N × K float32; rows sum to one within 0.01 (half precision is common in files).
        origin: `out of sample` when no row was predicted by a model that had seen its label.
    """

    values: Matrix
    origin: Literal["out of sample", "in sample"]

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> "np.ndarray[Any, Any]":
        array = np.asarray(self.values, dtype=dtype)
        return array.copy() if copy else array

    @model_validator(mode="after")
    def _check(self) -> Self:
        values = self.values
        low = (values < -1e-3).any(axis=1)
        if low.any():
            raise ValueError(f"row {int(low.argmax())} has a negative probability")
        off = np.abs(values.sum(axis=1, dtype=np.float64) - 1) > 1e-2
        if off.any():
            row = int(off.argmax())
            raise ValueError(
                f"row {row} sums to {values[row].sum():.4g}, not 1: pass softmax outputs"
            )
        return self


class Dynamics(Record):
    """What a training run saw of every sample, epoch by epoch; NaN where it did not see it.

    Attributes:
        epochs: E int64, the epochs at which the columns were taken.
        given_probability: N × E float32, probability of the given label.
        margin: N × E float32, logit of the given label less the largest other logit.
        loss: N × E float32, cross-entropy of the given label.
        correct: N × E float32, 1 where the prediction was the given label.
        logits: N × E × K float16, or None where the training was not asked to keep them.
    """

    epochs: Labels
    given_probability: Curves
    margin: Curves
    loss: Curves
    correct: Curves
    logits: Tensor3 | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        expected = (len(self.given_probability), len(self.epochs))
        for name in self.columns:
            shape = getattr(self, name).shape
            if shape[:2] != expected:
                raise ValueError(f"{name} is {shape}, expected {expected}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what there is for every sample."""
        names = ("given_probability", "margin", "loss", "correct")
        return names if self.logits is None else (*names, "logits")


UserColumn = Annotated[NDArray[np.generic], "a user's own column: one row per sample"]
