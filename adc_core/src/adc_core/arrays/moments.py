"""Mean and covariance of each class in feature space, robust to wrong labels and to few samples.

Here because a detector judges labels by them and a learner draws points from them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core.arrays.validation import Array, chunks

_TINY = 1e-10
"""Keeps the density of duplicates finite."""

_FEWEST = 4
"""Of fewer rows of a class none can be told from the others."""


class ClassMoments(NamedTuple):
    """A Gaussian of each class.

    Attributes:
        classes: C class indices, ascending: those with samples.
        counts: C numbers of samples that entered the estimates.
        means: C × D.
        covariances: C × D × D, symmetric and without a ridge: they may be singular.
        kept: N booleans: samples that entered the estimates.
        borrowed: C booleans: classes with fewer samples than the median, which were calibrated.
    """

    classes: NDArray[np.int64]
    counts: NDArray[np.int64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    kept: NDArray[np.bool_]
    borrowed: NDArray[np.bool_]


def class_moments(
    labels: NDArray[np.int64],
    features: Array,
    *,
    k: int = 10,
    max_outlier_factor: float = 1.5,
    heads: int = 3,
    gamma: float = 0.3,
) -> ClassMoments:
    """Estimate a Gaussian of each class without its outliers; rare classes borrow from common ones.

    Samples whose local outlier factor within their class is above `max_outlier_factor` are left
    out. A class of fewer samples than the median class moves its mean and covariance by `gamma`
    towards those of the `heads` nearest other classes, which count by their size. Zhang et al.,
    "When noisy labels meet long tail dilemmas" (RCAL), ICCV 2023; the weights are this project's,
    since the paper's could not be read.

    Args:
        labels: N class indices.
        features: N × D finite floats.
        k: neighbors by which a sample is found to be an outlier, itself not among them.
        max_outlier_factor: of samples that enter the estimates; about 1 within a cluster.
        heads: common classes from which a rare one borrows.
        gamma: how much of its moments is borrowed, 0 … 1.
    """
    classes, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    D = features.shape[1]
    means, covariances = np.empty((len(classes), D)), np.empty((len(classes), D, D))
    counts, kept = np.empty(len(classes), np.int64), np.ones(len(labels), np.bool_)
    for at, size in enumerate(sizes):
        rows = np.flatnonzero(place == at)
        points = np.asarray(features[rows], np.float64)
        if size >= _FEWEST:
            kept[rows] = local_outlier_factors(points, k) <= max_outlier_factor
            points = points[kept[rows]]
        counts[at], means[at] = len(points), points.mean(axis=0)
        apart = points - means[at]
        covariances[at] = apart.T @ apart / max(1, len(points) - 1)
    borrowed = sizes < np.median(sizes)
    found = ClassMoments(classes, counts, means, covariances, kept, borrowed)
    return _calibrated(found, min(heads, int((~borrowed).sum())), gamma)


def local_outlier_factors(points: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Compare the density around each point with that around its neighbors.

    Breunig et al., "LOF: identifying density-based local outliers", SIGMOD 2000, with exactly
    k neighbors.

    Args:
        points: N × D, two at least.
        k: neighbors, the point itself not among them; at most N - 1 are taken.

    Returns:
        N factors: about 1 within a cluster, the larger the farther outside.
    """
    N, k = len(points), min(k, len(points) - 1)
    centered = points - points.mean(axis=0)
    squares = (centered**2).sum(axis=1)
    near, distance = np.empty((N, k), np.int64), np.empty((N, k))
    for part in chunks(N, 8 * max(N, k * points.shape[1])):
        own = np.arange(part.start, part.stop)
        # Row by row up to a constant; the few that are kept are measured exactly below.
        apart = squares - 2 * centered[part] @ centered.T
        apart[own - part.start, own] = np.inf
        chosen = np.argpartition(apart, k - 1, axis=1)[:, :k]
        exact = np.sqrt(((centered[chosen] - centered[part, None]) ** 2).sum(axis=2))
        near[part], distance[part] = chosen, exact
    reach = np.maximum(distance, distance.max(axis=1)[near])
    density = 1 / (reach.mean(axis=1) + _TINY)
    factors: NDArray[np.float64] = density[near].mean(axis=1) / density
    return factors


def _calibrated(found: ClassMoments, heads: int, gamma: float) -> ClassMoments:
    """Move the moments of rare classes towards those of their nearest common ones."""
    if not heads or not gamma or not found.borrowed.any():
        return found
    means, covariances = found.means.copy(), found.covariances.copy()
    common = np.flatnonzero(~found.borrowed)
    for rare in np.flatnonzero(found.borrowed):
        distance = np.linalg.norm(found.means[common] - found.means[rare], axis=1)
        nearest = common[np.argsort(distance, kind="stable")[:heads]]
        shares = found.counts[nearest] / found.counts[nearest].sum()
        means[rare] += gamma * (shares @ found.means[nearest] - means[rare])
        lent = np.tensordot(shares, found.covariances[nearest], 1)
        covariances[rare] += gamma * (lent - covariances[rare])
    return found._replace(means=means, covariances=covariances)


def principal_components(features: Array, dimensions: int) -> NDArray[np.float64]:
    """Bring features to unit length, and then into the directions of largest variance.

    Args:
        features: N × D finite floats.
        dimensions: directions to keep; D and more keep all, as they are.

    Returns:
        N × min(dimensions, D), with mean 0.
    """
    N, D = features.shape
    parts = list(chunks(N, 16 * D))
    mean = sum((_unit(features[part]).sum(axis=0) for part in parts), np.zeros(D)) / N
    axes = np.eye(D)
    if dimensions < D:
        squares = np.zeros((D, D))
        for part in parts:
            apart = _unit(features[part]) - mean
            squares += apart.T @ apart
        axes = np.linalg.eigh(squares)[1][:, ::-1][:, :dimensions]
    points = np.empty((N, axes.shape[1]))
    for part in parts:
        points[part] = (_unit(features[part]) - mean) @ axes
    return points


def _unit(rows: Array) -> NDArray[np.float64]:
    values = rows.astype(np.float64)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    unit: NDArray[np.float64] = values / np.where(length > 0, length, 1)
    return unit
