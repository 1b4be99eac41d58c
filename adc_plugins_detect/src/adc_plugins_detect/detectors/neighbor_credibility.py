"""Neighbor credibility: a label is as credible as the near neighbors that share it."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import Column, Dataset, Detector, Findings, Neighbors
from adc_core.arrays import Array, chunks
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_ids, as_labels, needed, same_length
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.knn.soft_labels import kernel_soft_labels
from adc_plugins_detect.options import ClassCount, Count, Positive, Share
from adc_plugins_detect.scoring import FLAG_RATE, flag_top_fraction


@array_function
def neighbor_credibility(
    labels: ArrayLike,
    evidence: ArrayLike | Neighbors,
    *,
    k: Count = 10,
    temperature: Positive = 0.1,
    soft: Literal["kernel"] | None = None,
    flag_rate: Share = FLAG_RATE,
    n_classes: ClassCount | None = None,
    ids: ArrayLike | None = None,
) -> Findings:
    """Rank labels by the weighted share of neighbors that carry them (after Shu, 2022).

    A neighbor of cosine c weighs exp(-(1 - c) / temperature). Suspicion is the weight of those
    with another label. The formula is this project's: the original's is not published.

    Args:
        labels: N given labels.
        evidence: N × D features, or their k-NN graph (k neighbors at least).
        k: neighbors, the sample itself not among them.
        temperature: the lower, the more the nearest neighbors count.
        soft: `kernel` judges by `kernel_soft_labels` instead, in which a sample's own label counts
            and the temperature does not.
        flag_rate: share of the samples to flag, the most suspect first; ties: the first wins.
        n_classes: K; by default the largest label says.
        ids: N texts; by default the row numbers.

    Raises:
        InputError: arrays of other shapes, fewer neighbors than k, options out of range.
    """
    given = as_labels(labels, n_classes)
    graph = evidence if isinstance(evidence, Neighbors) else nearest_neighbors(evidence, k)
    same_length(given, graph.indices, "neighbors")
    if soft is None:
        suspicion = _disagreement(given, *graph.first(k), temperature)
    else:
        softened = kernel_soft_labels(given, graph, k=k, n_classes=n_classes)
        suspicion = (1 - softened[np.arange(len(given)), given]).clip(0, 1)
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=suspicion,
        flagged=flag_top_fraction(suspicion, flag_rate),
    )


class NeighborCredibility(Detector):
    """Ranks labels by how much of their neighborhood does not share them."""

    requires: ClassVar[tuple[str, ...]] = ("neighbors",)

    k: Count = Field(default=10, description="neighbors, the sample itself not among them")
    temperature: Positive = Field(
        default=0.1, description="the lower, the more the nearest neighbors count"
    )
    soft: Literal["kernel"] | None = Field(
        default=None, description="kernel: judge by soft labels, in which the own label counts too"
    )
    flag_rate: Share = Field(default=FLAG_RATE, description="share of the samples to flag")

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The neighbors that are weighed."""
        return (Column("neighbors", k=self.k),)

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's neighbors."""
        return neighbor_credibility(
            dataset.labels,
            needed(dataset.neighbors, "neighbors", "the enricher neighbors"),
            k=self.k,
            temperature=self.temperature,
            soft=self.soft,
            flag_rate=self.flag_rate,
            n_classes=len(dataset.classes),
            ids=dataset.ids,
        )


def _disagreement(
    labels: NDArray[np.int64], indices: Array, similarities: Array, temperature: float
) -> NDArray[np.float64]:
    share = np.empty(len(labels))
    for part in chunks(len(labels), 8 * indices.shape[1]):
        near = similarities[part].astype(np.float64)
        # Relative to the nearest, or all weights would vanish at a low temperature.
        weights = np.exp((near - near.max(axis=1, keepdims=True)) / temperature)
        other = labels[indices[part]] != labels[part, None]
        share[part] = (weights * other).sum(axis=1) / weights.sum(axis=1)
    return share.clip(0, 1)
