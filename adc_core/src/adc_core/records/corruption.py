"""What a simulator returns."""

from typing import Self

import numpy as np
from pydantic import model_validator

from adc_core.arrays.validation import Array, Flags, Labels, SquareMatrix
from adc_core.records.dataset import Dataset
from adc_core.records.findings import check_stochastic
from adc_core.records.record import Record
from adc_core.records.votes import Votes


class Corruption(Record):
    """Noisy labels and the truth about them, and which samples are left.

    Attributes:
        labels: N int64 noisy labels, also of the samples that are left out.
        mask: N booleans, where the noisy label differs from the dataset's.
        transition: K × K matrix that the labels were drawn with, row = true class; None where
            each sample has its own.
        votes: the votes of a simulated pool of raters, or None.
        kept: N booleans, False where the sample is left out of the dataset; None keeps all.
    """

    labels: Labels
    mask: Flags
    transition: SquareMatrix | None = None
    votes: Votes | None = None
    kept: Flags | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.labels) != len(self.mask):
            raise ValueError(f"{len(self.labels)} labels but {len(self.mask)} rows in the mask")
        if self.transition is not None:
            check_stochastic(self.transition, "transition")
        if self.kept is not None:
            if len(self.kept) != len(self.labels):
                raise ValueError(f"{len(self.labels)} labels but {len(self.kept)} rows in kept")
            if not self.kept.any():
                raise ValueError("kept: no sample is left: keep at least one")
        return self

    def applied_to(self, dataset: Dataset) -> Dataset:
        """Give a dataset the noisy labels and the votes, without the samples that are left out.

        Where some are, the graph of all is left out too.
        """
        noisy = dataset.relabeled(self.labels)
        if self.votes is not None:
            noisy = noisy.replace(votes=self.votes)
        return noisy if self.kept is None else noisy.take(np.flatnonzero(self.kept))

    def rows_left(self, column: Array) -> Array:
        """Take from N values of the dataset before those of the samples that are left."""
        return column if self.kept is None else column[self.kept]
