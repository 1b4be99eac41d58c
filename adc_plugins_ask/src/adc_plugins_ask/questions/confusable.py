"""The classes that a class is most easily taken for."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset


def confusable_classes(dataset: Dataset, count: int) -> list[list[int]]:
    """Return for each class the others whose images look most like its own, the likest first.

    By mean probabilities of its samples where the dataset has them, else by the cosine of mean
    features, else none.

    Args:
        dataset: labels, with probabilities or features.
        count: how many at most.

    Returns:
        K lists of class numbers.
    """
    classes = len(dataset.classes)
    if dataset.probabilities is not None:
        alike = _means(
            np.asarray(dataset.probabilities.values, np.float64), dataset.labels, classes
        )
    elif dataset.features is not None:
        means = _means(np.asarray(dataset.features, np.float64), dataset.labels, classes)
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        unit = means / np.where(lengths > 0, lengths, 1)
        alike = unit @ unit.T
    else:
        return [[] for _ in range(classes)]
    np.fill_diagonal(alike, -np.inf)
    order = np.argsort(-alike, axis=1, kind="stable")[:, : min(count, classes - 1)]
    chosen: list[list[int]] = order.tolist()
    return chosen


def _means(
    rows: NDArray[np.float64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Return the mean row of each class; zeros where it has none."""
    sums = np.zeros((classes, rows.shape[1]))
    np.add.at(sums, labels, rows)
    counts = np.bincount(labels, minlength=classes)[:, None]
    return sums / np.maximum(counts, 1)
