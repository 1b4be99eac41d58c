"""Out-of-sample probabilities from features: ridge regression, every sample left out in turn."""

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.linalg import eigh
from scipy.special import log_softmax, softmax
from threadpoolctl import threadpool_limits

from adc_core import Dataset, Encoder, Enricher, InputError, Probabilities, progress
from adc_core.arrays import Array, chunks
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_features, as_labels, needed, same_length
from adc_plugins_detect.options import ClassCount, Share

_WIDEST = 2048
"""Features beyond it are projected at random: eigenvectors take time by the cube of the width."""

_PENALTIES = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1)
"""Ridge penalties that are tried, for features of unit scale and per sample."""

_SHARPNESS = tuple(np.geomspace(1, 100, 25))
"""What scores are multiplied by before the softmax; the most likely is taken."""


class _Axes(NamedTuple):
    """Standardised features along the eigenvectors of their covariance.

    Attributes:
        scores: N × R float64.
        variances: R float64, the sum of squares of each.
    """

    scores: NDArray[np.float64]
    variances: NDArray[np.float64]


@array_function
def ridge_probe(
    labels: ArrayLike,
    features: ArrayLike,
    *,
    n_classes: ClassCount | None = None,
    tau: Share = 0.0,
) -> Probabilities:
    """Predict each sample with a linear model of all the others.

    Standardised features are regressed on the labels' indicators with an L2 penalty. What the
    model would say of a sample had it not seen it has a closed form, (ŷ - h y) / (1 - h) with the
    sample's leverage h (Allen, 1974), so that no fold is drawn and nothing is left to chance. The
    softmax of these scores is a probability; the penalty and the softmax's sharpness are those
    under which the given labels are most likely. Features of more than 2,048 columns are projected
    to as many, at random.

    The only sample of a class is taken to be sure of its label: nothing else knows its class.

    Args:
        labels: N given labels.
        features: N × D finite numbers.
        n_classes: K; by default the largest label says.
        tau: divide probabilities by the labels' shares to this power. A model that was trained
            on a long tail predicts rare classes too rarely, and all their labels look wrong.

    Returns:
        N × K out-of-sample probabilities; zero for classes that no sample is labelled with.

    Raises:
        InputError: arrays of other shapes, features that are not finite, labels of one class.
    """
    given = as_labels(labels, n_classes)
    rows = as_features(features)
    same_length(given, rows, "features")
    counts = np.bincount(given, minlength=n_classes or number_of_classes(given))
    present = np.flatnonzero(counts)
    if len(present) < 2:
        raise InputError(
            f"all {len(given)} samples are labelled {given[0]}: a probe needs at least two classes"
        )
    of_present = np.searchsorted(present, given)
    with threadpool_limits(1, "blas"):  # so that any number of threads adds alike
        axes = _axes(rows)
        scores, sharpness = _most_likely(axes, of_present, len(present))
    values = np.zeros((len(given), len(counts)), np.float32)
    shares = counts[present] / len(given)
    values[:, present] = softmax(sharpness * scores - tau * np.log(shares), axis=1)
    single = counts[given] == 1
    values[single] = 0
    values[single, given[single]] = 1
    return Probabilities(values=values, origin="out of sample")


def _axes(rows: Array) -> _Axes:
    n, width = rows.shape
    mean = rows.mean(axis=0, dtype=np.float64)
    spread = rows.std(axis=0, dtype=np.float64)
    spread[spread <= 1e-9 * np.abs(mean).clip(min=1e-30)] = np.inf  # constant columns say nothing
    projection = None
    if width > _WIDEST:
        projection = np.random.default_rng(0).standard_normal((width, _WIDEST)) / np.sqrt(_WIDEST)
    columns = min(width, _WIDEST)
    X = np.empty((n, columns))
    for part in chunks(n, 16 * width):
        block = (rows[part] - mean) / (spread * np.sqrt(width))
        X[part] = block if projection is None else block @ projection
    progress(1, 3, "step")
    if n < columns:
        left, singular, _ = np.linalg.svd(X, full_matrices=False)
        return _Axes(left * singular, singular**2)
    variances, directions = eigh(X.T @ X, overwrite_a=True, check_finite=False)
    progress(2, 3, "step")
    return _Axes(X @ directions, variances.clip(min=0))


def _most_likely(
    axes: _Axes, labels: NDArray[np.int64], n_classes: int
) -> tuple[NDArray[np.float64], float]:
    """Return N × K left-out scores and the sharpness that makes the given labels most likely."""
    n = len(labels)
    shares = np.bincount(labels, minlength=n_classes) / n
    # The sum over the samples of each class, of features centred already.
    sums = np.zeros((axes.scores.shape[1], n_classes))
    for k in range(n_classes):
        sums[:, k] = axes.scores[labels == k].sum(axis=0)
    best: tuple[float, float, float] | None = None
    for penalty in _PENALTIES:
        scores = _left_out(axes, sums, shares, labels, penalty)
        for sharpness in _SHARPNESS:
            loss = _log_loss(scores, labels, sharpness)
            if best is None or loss < best[0]:
                best = loss, penalty, sharpness
    assert best is not None
    progress(3, 3, "step")
    return _left_out(axes, sums, shares, labels, best[1]), best[2]


def _left_out(
    axes: _Axes,
    sums: NDArray[np.float64],
    shares: NDArray[np.float64],
    labels: NDArray[np.int64],
    penalty: float,
) -> NDArray[np.float64]:
    n, n_classes = len(labels), len(shares)
    shrunk = 1 / (axes.variances + penalty * n)
    weights = shrunk[:, None] * sums
    out = np.empty((n, n_classes))
    for part in chunks(n, 8 * (axes.scores.shape[1] + n_classes)):
        block = axes.scores[part]
        leverage = (block**2) @ shrunk + 1 / n
        fitted = block @ weights + shares
        fitted[np.arange(len(block)), labels[part]] -= leverage
        out[part] = fitted / (1 - leverage).clip(min=1e-6)[:, None]
    return out


def _log_loss(scores: NDArray[np.float64], labels: NDArray[np.int64], sharpness: float) -> float:
    total = 0.0
    for part in chunks(len(labels), 8 * scores.shape[1]):
        logs = log_softmax(sharpness * scores[part], axis=1)
        total -= logs[np.arange(len(logs)), labels[part]].sum()
    return float(total / len(labels))


class RidgeProbe(Enricher):
    """Predicts every sample from its features with a linear model of all the others."""

    requires: ClassVar[tuple[str, ...]] = ("features",)
    provides: ClassVar[tuple[str, ...]] = ("probabilities",)

    encoder: Encoder | None = Field(
        default=None, description="makes features for this probe alone, instead of the dataset's"
    )

    tau: Share = Field(
        default=0,
        description="divide by the labels' shares to this power; about 0.5 for long tails",
    )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Features, or what its own encoder needs."""
        return self.requires if self.encoder is None else self.encoder.required_columns

    def enrich(self, dataset: Dataset) -> Dataset:
        """Add the column `probabilities`."""
        if self.encoder is None:
            features = needed(dataset.features, "features", "an encoder")
        else:
            features = self.encoder.encode(needed(dataset.images, "images", "a collector"))
        return dataset.replace(
            probabilities=ridge_probe(
                dataset.labels, features, n_classes=len(dataset.classes), tau=self.tau
            )
        )
