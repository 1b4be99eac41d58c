"""The k-NN graph of the features: searched once, read by every neighbor method."""

from typing import ClassVar

from pydantic import Field

from adc_core import Dataset, Enricher
from adc_plugins_detect.inputs import needed
from adc_plugins_detect.knn.search import Method, nearest_neighbors
from adc_plugins_detect.options import Count


class NearestNeighbors(Enricher):
    """Finds the nearest neighbors of every sample in feature space."""

    requires: ClassVar[tuple[str, ...]] = ("features",)
    provides: ClassVar[tuple[str, ...]] = ("neighbors",)

    k: Count = Field(default=10, description="neighbors of each sample, itself excluded")
    method: Method = Field(
        default="auto",
        description="auto is exact up to 200,000 samples and searches an index above",
    )

    def enrich(self, dataset: Dataset) -> Dataset:
        """Return the dataset with the column `neighbors`."""
        features = needed(dataset.features, "features", "an encoder")
        return dataset.replace(neighbors=nearest_neighbors(features, self.k, method=self.method))
