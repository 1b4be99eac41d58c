"""Soft labels: each sample's label and those of its neighbors, by a kernel of their distance."""

from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike, NDArray

from adc_core import Neighbors
from adc_core.arrays import chunks
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_labels, same_length
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.options import ClassCount, Count, Positive

_FIFTH = 5
"""The bandwidth is the median distance of this neighbor, where none is given."""


@array_function
def kernel_soft_labels(
    labels: ArrayLike,
    evidence: ArrayLike | Neighbors,
    *,
    k: Count = 10,
    bandwidth: Positive | None = None,
    own: Annotated[float, Ge(0)] = 1.0,
    n_classes: ClassCount | None = None,
) -> NDArray[np.float64]:
    """Spread each label over the classes that its neighborhood has (after Shu, 2022).

    A neighbor of cosine c weighs exp(-(1 - c)² / (2 bandwidth²)), the sample itself `own`. The
    formula is this project's: the paper's was not to be read.

    Trap: with `own` the given label keeps at least 1/(k + 1), which hides errors that stand alone.

    Args:
        labels: N given labels.
        evidence: N × D features, or their k-NN graph.
        k: neighbors, the sample itself not among them.
        bandwidth: in units of 1 - cosine; by default the median of the fifth neighbor's.
        own: weight of the given label; 0 leaves it out.
        n_classes: K; by default the largest label says.

    Returns:
        N × K, rows sum to one.

    Raises:
        InputError: arrays of other shapes, or fewer neighbors than k.
    """
    given = as_labels(labels, n_classes)
    graph = evidence if isinstance(evidence, Neighbors) else nearest_neighbors(evidence, k)
    same_length(given, graph.indices, "neighbors")
    indices, similarities = graph.first(k)
    if bandwidth is None:
        typical = float(np.median(1.0 - similarities[:, min(_FIFTH, k) - 1]))
        bandwidth = max(typical, 1e-12)  # copies have no distance
    K = n_classes or number_of_classes(given)
    soft = np.empty((len(given), K))
    for part in chunks(len(given), 8 * (k + K)):
        far = np.maximum(1 - similarities[part].astype(np.float64), 0)
        # Relative to the nearest where the own label does not count, or all weights may vanish.
        nearest = far.min(axis=1, keepdims=True) if own == 0 else 0.0
        weights = np.exp((nearest**2 - far**2) / (2 * bandwidth**2))
        cell = np.arange(len(far))[:, None] * K + given[indices[part]]
        cells = np.bincount(cell.ravel(), weights.ravel(), len(far) * K)
        mass = np.asarray(cells, np.float64).reshape(len(far), K)
        mass[np.arange(len(far)), given[part]] += own
        soft[part] = mass / mass.sum(axis=1, keepdims=True)
    return soft
