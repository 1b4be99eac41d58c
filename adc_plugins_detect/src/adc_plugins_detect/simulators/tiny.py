"""A small part of a dataset with the same shares of classes."""

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from adc_core import Corruption, Dataset, InputError, Simulator
from adc_core.arrays import Array
from adc_plugins_detect.simulators.long_tail import draws


def stratified(labels: Array, total: int, drawn: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Choose samples with low draws so that classes keep their shares.

    A class gets the whole number nearest to its share, where that leads to the total (Webster's
    method). For the same draws, a smaller total's samples are among those of a larger one.

    Args:
        labels: N class numbers.
        total: how many, N at most.
        drawn: N numbers.
    """
    order = np.lexsort((drawn, labels))
    counts = np.bincount(labels)
    starts = np.cumsum(counts) - counts
    in_order = labels[order]
    place = np.empty(len(labels), np.float64)
    place[order] = (np.arange(len(labels)) - starts[in_order] + 0.5) / counts[in_order]
    chosen = np.zeros(len(labels), np.bool_)
    chosen[np.lexsort((drawn, place))[:total]] = True
    return chosen


class Tiny(Simulator):
    """Leaves out all but a small part, in which classes have the shares that they had.

    So the authors of ADC made the 50,000 of Clothing-ADC (tiny). Labels stay as they are, and
    count as true where the pipeline names no truth.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"total": 60}]})

    total: int = Field(ge=1, description="samples to keep in all")
    seed: int = Field(
        default=0, ge=0, description="seed; for one seed a lower total's samples are kept"
    )

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Choose which samples to keep; no label changes.

        Raises:
            InputError: there are fewer.
        """
        if self.total > len(dataset):
            raise InputError(
                f"total is {self.total:,} but there are {len(dataset):,} samples: lower it"
            )
        return Corruption(
            labels=dataset.labels,
            mask=np.zeros(len(dataset), np.bool_),
            kept=stratified(dataset.labels, self.total, draws("tiny", self.seed, len(dataset))),
        )
