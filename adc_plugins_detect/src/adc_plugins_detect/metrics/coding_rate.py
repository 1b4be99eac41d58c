"""Coding rate: how much shorter features are described when classes are known."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import Measurement, Metric, Run
from adc_core.records import rows_of
from adc_core.storage import UNKNOWN
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_features, as_labels, same_length
from adc_plugins_detect.options import Positive


@array_function
def coding_rate_reduction(
    labels: ArrayLike, features: ArrayLike, *, distortion: Positive = 0.05
) -> float:
    """Compute how much the coding rate falls by coding each class by itself (Yu et al. 2020).

    Rows are brought to unit length; R = ½ log det(I + d/(nε) Z'Z), less the mean of the same of
    each class's rows, weighted by size. Nats.

    Args:
        labels: N labels.
        features: N × D.
        distortion: ε, the squared error that the code may have.

    Raises:
        InputError: arrays of other shapes.
    """
    given = as_labels(labels)
    rows = as_features(features)
    same_length(given, rows, "features")
    unit = rows.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-300)
    order = np.argsort(given, kind="stable")
    counts = np.bincount(given)
    groups = np.split(unit[order], np.cumsum(counts)[:-1])
    parts = [len(one) / len(unit) * _rate(one, distortion) for one in groups if len(one)]
    return _rate(unit, distortion) - float(sum(parts))


def _rate(rows: NDArray[np.float64], distortion: float) -> float:
    n, d = rows.shape
    # Both have the same determinant: take the smaller.
    gram = rows.T @ rows if d <= n else rows @ rows.T
    gram *= d / (n * distortion)
    gram[np.diag_indices_from(gram)] += 1
    return 0.5 * float(np.linalg.slogdet(gram)[1])


class CodingRate(Metric):
    """Measures how much shorter features are described when the classes are known.

    The rate reduction of the samples that curation kept, by their labels as collected and as
    curated, and where they are known by the true ones: labels that fit the features better have a
    larger one. It needs no truth.

    Traps: figures of other samples, features or numbers of classes do not compare; curation that
    only drops samples changes nothing here.
    """

    requires: ClassVar[tuple[str, ...]] = ("features",)

    distortion: Positive = Field(default=0.05, description="squared error that the code may have")

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure the same samples with each set of labels."""
        before, after = run.collected, run.curated
        if before.features is None:
            return ()
        rows = rows_of(before.ids, after.ids[after.labeled])
        features, kept = before.features[rows], after.labels[after.labeled]
        labels = {"labels as collected": before.labels[rows]}
        if run.curations:
            labels["labels as curated"] = kept
        if run.truth is not None and (run.truth[rows] > UNKNOWN).all():
            labels["true labels"] = run.truth[rows]
        return tuple(
            Measurement(
                metric="coding-rate reduction",
                subject=name,
                value=coding_rate_reduction(given, features, distortion=self.distortion),
                better="higher",
            )
            for name, given in labels.items()
            if len(given)
        )
