"""A detector in a package of its own."""

from typing import ClassVar

from numpy.typing import NDArray
from pydantic import Field

from adc_core import Dataset, Detector, Findings


def against(labels: NDArray, neighbours: NDArray) -> NDArray:
    """The share of each sample's neighbours that carry another label (N)."""
    return (labels[neighbours] != labels[:, None]).mean(axis=1)


class Majority(Detector):
    """Flags labels that most of a sample's neighbours do not share."""

    reads: ClassVar = ("neighbours",)

    k: int = Field(10, ge=1, description="neighbours that vote")

    @property
    def neighbours_read(self) -> int:
        """As many as vote."""
        return self.k

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by its neighbours."""
        nearest, _ = dataset.neighbours.first(self.k)
        suspicion = against(dataset.labels, nearest)
        return Findings(ids=dataset.ids, suspicion=suspicion, flagged=suspicion > 0.5)
