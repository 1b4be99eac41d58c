"""A detector in a package of its own."""

from typing import ClassVar

from numpy.typing import NDArray
from pydantic import Field

from adc_core import Column, Dataset, Detector, Findings


def against(labels: NDArray, neighbors: NDArray) -> NDArray:
    """Return the share of each sample's neighbors that carry another label (N)."""
    return (labels[neighbors] != labels[:, None]).mean(axis=1)


class Majority(Detector):
    """Flags labels that most of a sample's neighbors do not share."""

    requires: ClassVar = ("neighbors",)

    k: int = Field(default=10, ge=1, description="neighbors that vote")

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The neighbors that vote."""
        return (Column("neighbors", k=self.k),)

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by its neighbors."""
        nearest, _ = dataset.neighbors.first(self.k)
        suspicion = against(dataset.labels, nearest)
        return Findings(ids=dataset.ids, suspicion=suspicion, flagged=suspicion > 0.5)
