"""Deep k-NN: a label that most neighbors in a learned space do not share is suspicious."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import Column, Dataset, Detector, Findings, Neighbors
from adc_core.arrays import Array, chunks
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_ids, as_labels, as_mask, needed, same_length
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.options import ClassCount, Count, Share

MOST_NEIGHBORS = 100
"""As many neighbors vote by default, or a fifth of an average class where that is fewer."""


@array_function
def deep_knn(
    labels: ArrayLike,
    evidence: ArrayLike | Neighbors,
    *,
    k: Count | None = None,
    trusted: ArrayLike | None = None,
    alpha: Share = 0.05,
    n_classes: ClassCount | None = None,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find wrong labels by the plurality of neighbors (Bahri, Jiang and Gupta, ICML 2020).

    The k nearest other samples have one vote each. Suspicion is the share of them that carry
    another label; a sample is flagged if some label has more votes than its own. The paper takes
    the logits of a network trained on the given labels; an early epoch is best, because a later
    one has memorised wrong labels. A class with few samples beside k can hardly win a vote.

    Args:
        labels: N given labels.
        evidence: N × D features, or a k-NN graph of any metric. Features are compared by cosine,
            where the paper takes the Euclidean distance.
        k: neighbors that vote; by default 100, or N / 5K where that is fewer.
        trusted: N booleans, labels that are known to be right. Then a label's credibility is the
            share of them that have no more neighbors of its class than it has (Papernot and
            McDaniel, 2018); suspicion is one minus it.
        alpha: with trusted labels, flag also what is less credible than this.
        n_classes: K; by default the largest label says.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the winner of the vote as suggestion, its share of the votes as confidence,
        and the share of flagged samples as noise rate.

    Raises:
        InputError: arrays of other shapes, fewer neighbors than k, k below 1.
    """
    given = as_labels(labels, n_classes)
    if k is None:
        K = n_classes or number_of_classes(given)
        k = min(MOST_NEIGHBORS, max(1, len(given) // (5 * K)))
    graph = evidence if isinstance(evidence, Neighbors) else nearest_neighbors(evidence, k)
    same_length(given, graph.indices, "neighbors")
    indices, _ = graph.first(k)
    agreeing, winner, most = count_equal_votes(given, indices)
    differs = agreeing < most
    suspicion, flagged = (k - agreeing) / k, differs
    if trusted is not None:
        against = k - agreeing
        calibration = against[as_mask(trusted, len(given), "trusted")]
        credible, at_best = (conformal_p_values(calibration, n) for n in (against, k - most))
        suspicion, flagged = 1 - credible, (credible < alpha) | (credible < at_best)
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=suspicion,
        flagged=flagged,
        suggested_labels=np.where(differs, winner, -1),
        suggestion_confidence=np.where(differs, most / k, np.nan),
        noise_rate=float(flagged.mean()),
    )


class DeepKnn(Detector):
    """Flags labels that are outvoted by their nearest neighbors, one vote each."""

    requires: ClassVar[tuple[str, ...]] = ("neighbors",)

    k: Count | None = Field(
        default=None,
        description="neighbors that vote; 100, or a fifth of an average class if that is fewer",
    )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The voters, or the most that may vote by default."""
        return (Column("neighbors", k=self.k or MOST_NEIGHBORS),)

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's neighbors."""
        return deep_knn(
            dataset.labels,
            needed(dataset.neighbors, "neighbors", "the enricher neighbors"),
            k=self.k,
            n_classes=len(dataset.classes),
            ids=dataset.ids,
        )


def conformal_p_values(calibration: Array, values: Array) -> NDArray[np.float64]:
    """Share of the calibration's numbers that are at least as large as each value."""
    smaller = np.searchsorted(np.sort(calibration), values, side="left")
    shares: NDArray[np.float64] = 1 - smaller / len(calibration)
    return shares


def count_equal_votes(
    labels: NDArray[np.int64], indices: Array
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the labels of neighbors, whatever the number of classes.

    Args:
        labels: N given labels.
        indices: N × k row numbers of the neighbors.

    Returns:
        N votes for the given label, N labels with the most votes (ties: the lowest wins), and
        N votes for those.
    """
    n, k = indices.shape
    agreeing, winner, most = (np.empty(n, np.int64) for _ in range(3))
    place = np.arange(k)
    for part in chunks(n, 8 * k):
        near = np.sort(labels[indices[part]], axis=1)
        agreeing[part] = (near == labels[part, None]).sum(axis=1)
        begins = np.where(np.diff(near, axis=1, prepend=-1) > 0, place, 0)
        length = place + 1 - np.maximum.accumulate(begins, axis=1)
        last = length.argmax(axis=1)
        rows = np.arange(len(near))
        winner[part], most[part] = near[rows, last], length[rows, last]
    return agreeing, winner, most
