"""What a simulator returns."""

from typing import Self

from pydantic import model_validator

from adc_core.arrays.validation import Flags, Labels, SquareMatrix
from adc_core.records.dataset import Dataset
from adc_core.records.findings import check_stochastic
from adc_core.records.record import Record
from adc_core.records.votes import Votes


class Corruption(Record):
    """Noisy labels and the truth about them.

    Attributes:
        labels: N int64 noisy labels.
        mask: N booleans, where the noisy label differs from the dataset's.
        transition: K × K matrix that the labels were drawn with, row = true class; None where
            each sample has its own.
        votes: the votes of a simulated pool of raters, or None.
    """

    labels: Labels
    mask: Flags
    transition: SquareMatrix | None = None
    votes: Votes | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.labels) != len(self.mask):
            raise ValueError(f"{len(self.labels)} labels but {len(self.mask)} rows in the mask")
        if self.transition is not None:
            check_stochastic(self.transition, "transition")
        return self

    def applied_to(self, dataset: Dataset) -> Dataset:
        """Give a dataset the noisy labels, and the votes where there are some."""
        noisy = dataset.relabeled(self.labels)
        return noisy if self.votes is None else noisy.replace(votes=self.votes)
