"""Exemplars of a class, for instructions to people who label."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError

_ROWS, _CANDIDATES, _CENTERS = 2000, 200, 8
"""Rows that a retrieval ranks, candidates that are tried, and centers that these are nearest to."""


class Exemplars(NamedTuple):
    """Chosen samples, in the order of their choice.

    Attributes:
        rows: of the features.
        average_precision: of retrieval with each and those before it.
    """

    rows: NDArray[np.int64]
    average_precision: NDArray[np.float64]


def choose_exemplars(
    features: ArrayLike,
    positive: ArrayLike,
    candidates: ArrayLike | None = None,
    most: int = 6,
    *,
    seed: int = 0,
) -> Exemplars:
    """Choose a few samples that find a class: the others of it are nearer to one of them.

    Each step adds the candidate that raises the average precision most of ranking all samples by
    their largest cosine to the chosen ones, until nothing is gained (greedy, after "Thinking like
    an annotator", arXiv 2306.14035, which retrieves by CLIP). A class in two forms gets exemplars
    of both.

    Traps: the first figure is too high, for an exemplar finds itself. Exemplars are shown to
    others: show their license and creator, too.

    Args:
        features: N × D.
        positive: N booleans: of the class and flagged by no detector.
        candidates: row numbers; by default at most 200 positive rows, those nearest to the
            centers of eight clusters of them.
        most: exemplars at most.
        seed: of the clusters, and of the 2,000 rows that are ranked where there are more.

    Raises:
        InputError: arrays of other shapes, or no positive row or candidate.
    """
    rows = np.asarray(features, np.float64)
    wanted = np.asarray(positive)
    if rows.ndim != 2 or wanted.shape != rows.shape[:1] or wanted.dtype != np.bool_:
        raise InputError(
            f"positive: expected a boolean for each of {len(rows)} rows of features, "
            f"got {wanted.dtype} {wanted.shape}"
        )
    if not wanted.any():
        raise InputError("positive: no sample is of the class: give some")
    if (bad := ~np.isfinite(rows).all(axis=1)).any():
        raise InputError(f"features: row {int(bad.argmax())} is not finite (NaN or infinity)")
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
    tried = _central(unit, wanted, seed) if candidates is None else np.asarray(candidates, np.int64)
    if not len(tried) or tried.min() < 0 or tried.max() >= len(rows):
        raise InputError(f"candidates: expected row numbers 0…{len(rows) - 1}, at least one")
    ranked = _ranked(wanted, seed)
    cosines = unit[ranked] @ unit[tried].T
    best = np.full(len(ranked), -np.inf)
    chosen: list[int] = []
    gained: list[float] = []
    while len(chosen) < min(most, len(tried)):
        figures = average_precisions(np.maximum(best[:, None], cosines), wanted[ranked])
        figures[chosen] = -np.inf
        place = int(figures.argmax())
        if gained and figures[place] <= gained[-1]:
            break
        chosen.append(place)
        gained.append(float(figures[place]))
        best = np.maximum(best, cosines[:, place])
    return Exemplars(tried[chosen], np.array(gained))


def average_precisions(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Compute the average precision of each column of N × C scores; ties: the first is ahead."""
    hits = positive[np.argsort(-scores, axis=0, kind="stable")]
    precision = np.cumsum(hits, axis=0) / np.arange(1, len(hits) + 1)[:, None]
    found: NDArray[np.float64] = (precision * hits).sum(axis=0) / max(1, int(positive.sum()))
    return found


def _ranked(positive: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """Return the rows that are ranked, with some of the class among them."""
    if len(positive) <= _ROWS:
        return np.arange(len(positive))
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(positive), _ROWS, replace=False)
    some = rng.permutation(np.flatnonzero(positive))[:_CENTERS]
    return np.union1d(drawn, some)


def _central(
    unit: NDArray[np.float64], positive: NDArray[np.bool_], seed: int
) -> NDArray[np.int64]:
    """Return the positive rows nearest to the centers of their clusters, as many of each."""
    rows = np.flatnonzero(positive)
    if len(rows) <= _CANDIDATES:
        return rows
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums then have one order
        clusters = KMeans(_CENTERS, n_init=1, random_state=seed).fit(unit[rows])
    far = np.linalg.norm(unit[rows] - clusters.cluster_centers_[clusters.labels_], axis=1)
    order = np.lexsort((far, clusters.labels_))
    starts = np.searchsorted(clusters.labels_[order], np.arange(_CENTERS))
    place = np.arange(len(rows)) - starts[clusters.labels_[order]]
    return np.sort(rows[order[place < _CANDIDATES // _CENTERS]])
