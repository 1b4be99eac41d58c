"""Label propagation: labels flow along the k-NN graph, and the given one must keep its lead."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.sparse import csr_array
from scipy.special import softmax

from adc_core import Column, Dataset, Detector, Findings, InputError, Neighbors
from adc_core.arrays import Array
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_features, as_ids, as_labels, needed, same_length
from adc_plugins_detect.knn.graph import symmetric_graph
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.options import ClassCount, Count, Share

_K, _HOPS, _STAY = 10, 5, 0.6


@array_function
def label_propagation(
    labels: ArrayLike,
    evidence: ArrayLike | Neighbors,
    *,
    features: ArrayLike | None = None,
    k: Count = _K,
    hops: Count = _HOPS,
    stay: Share = _STAY,
    mix: Share = 1.0,
    n_classes: ClassCount | None = None,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find labels that those around outweigh, near and two or more steps away (Chen et al. 2024).

    Each step, a sample keeps the share `stay` of its labels and takes the rest from its neighbors,
    each of which gives in proportion to similarity (ERASE's propagation, CIKM 2024). Suspicion is
    one minus the given label's share in the end. Where `mix` is below 1, labels are then mixed with
    the cosines to the means of the classes found, and propagated again.

    Traps: a group of like samples that are all labeled wrong confirms itself. A sample without
    neighbors of positive similarity keeps its label.

    Args:
        labels: N given labels.
        evidence: N × D features, or their k-NN graph.
        features: N × D, read where `mix` is below 1; by default the evidence.
        k: neighbors, the sample itself not among them.
        hops: how far labels travel.
        stay: what each step leaves of a sample's own labels.
        mix: weight of the graph beside the means of the classes; 0.6 in the paper.
        n_classes: K; by default the largest label says.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the leading label where it is another, its share as confidence, and the
        share of flagged samples as noise rate.

    Raises:
        InputError: arrays of other shapes, fewer neighbors than k, no features to mix with.
    """
    given = as_labels(labels, n_classes)
    K = n_classes or number_of_classes(given)
    graph = evidence if isinstance(evidence, Neighbors) else nearest_neighbors(evidence, k)
    same_length(given, graph.indices, "neighbors")
    walk = _walk(symmetric_graph(*graph.first(k)))
    share = _propagated(walk, np.eye(K)[given], hops, stay)
    if mix < 1:
        if not isinstance(evidence, Neighbors):
            features = evidence
        if features is None:
            raise InputError("a mix below 1 reads features: give them, or a mix of 1")
        values = as_features(features)
        same_length(given, values, "features")
        cosines = _to_means(values, share, K)
        share = _propagated(walk, softmax(mix * share + (1 - mix) * cosines, axis=1), hops, stay)
    return _findings(given, share, as_ids(ids, len(given)))


def _walk(graph: csr_array) -> csr_array:
    """Divide columns by their sums: what a sample gives adds up to one."""
    degree = graph.sum(axis=0)
    scale = np.divide(1, degree, out=np.zeros_like(degree), where=degree > 0)
    walk = graph.copy()
    walk.data *= scale[walk.indices]
    return walk


def _propagated(
    walk: csr_array, start: NDArray[np.float64], hops: int, stay: float
) -> NDArray[np.float64]:
    """Let labels travel; N × K, not normalized."""
    own = start
    for _ in range(hops):
        own = (1 - stay) * (walk @ own) + stay * own
    return own


def _to_means(features: Array, mass: NDArray[np.float64], K: int) -> NDArray[np.float64]:
    """Compute N × K cosines to the means of the classes that lead; below 0 and unknown are 0."""
    rows = features.astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
    members = np.eye(K)[mass.argmax(axis=1)]
    means = members.T @ rows  # their lengths do not matter
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-300)
    cosines: NDArray[np.float64] = np.maximum(rows @ means.T, 0)
    return cosines


def _findings(given: NDArray[np.int64], mass: NDArray[np.float64], ids: Array) -> Findings:
    total = mass.sum(axis=1)
    covered = total > 0  # where nothing stays, those without neighbors have nothing left
    share = mass / np.where(covered, total, 1)[:, None]
    rows = np.arange(len(given))
    own, best = share[rows, given], share.argmax(axis=1)
    lead = share[rows, best]
    flagged = covered & (lead > own)
    return Findings(
        ids=ids,
        suspicion=np.where(covered, (1 - own).clip(0, 1), np.nan),
        flagged=flagged,
        suggested_labels=np.where(flagged, best, -1),
        suggestion_confidence=np.where(flagged, lead.clip(0, 1), np.nan),
        covered=covered,
        noise_rate=float(flagged[covered].mean()) if covered.any() else None,
    )


class LabelPropagation(Detector):
    """Flags labels that are outweighed by those that reach them along the k-NN graph.

    Unlike a vote of neighbors it hears samples two and more steps away. A group of like samples
    that are all labeled wrong confirms itself.
    """

    requires: ClassVar[tuple[str, ...]] = ("neighbors",)

    k: Count = Field(default=_K, description="neighbors, the sample itself not among them")
    hops: Count = Field(default=_HOPS, description="how far labels travel")
    stay: Share = Field(default=_STAY, description="what each step leaves of a sample's own labels")
    mix: Share = Field(
        default=1.0,
        description="weight of the graph beside means of classes in the features; 0.6 in ERASE",
    )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The graph, and the features where class means are mixed in."""
        graph = Column("neighbors", k=self.k)
        return (graph, "features") if self.mix < 1 else (graph,)

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's neighbors."""
        return label_propagation(
            dataset.labels,
            needed(dataset.neighbors, "neighbors", "the enricher neighbors"),
            features=dataset.features,
            k=self.k,
            hops=self.hops,
            stay=self.stay,
            mix=self.mix,
            n_classes=len(dataset.classes),
            ids=dataset.ids,
        )
