"""Gradient tracing: what a sample's steps in training do to itself, or to trusted samples."""

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import softmax
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from adc_core import Dataset, Detector, Findings, InputError, LocalPath, Probabilities, progress
from adc_core.arrays import Array, chunks
from adc_core.records import number_of_classes
from adc_core.storage import UNKNOWN
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_array, as_features, as_ids, as_labels, needed, same_length
from adc_plugins_detect.options import ClassCount, Positive, Share
from adc_plugins_detect.scoring import FLAG_RATE, flag_top_fraction
from adc_plugins_detect.trusted_samples import trusted_labels

Checkpoints = ArrayLike | Probabilities | Sequence[ArrayLike]

STEPS = 100
"""As many steps train the layer where no probabilities are given: on CIFAR-10N more steps find
wrong labels better by their influence on themselves, and worse by trusted samples."""


@array_function
def gradient_tracing(
    labels: ArrayLike,
    features: ArrayLike,
    probabilities: Checkpoints | None = None,
    *,
    trusted: ArrayLike | None = None,
    learning_rates: ArrayLike | None = None,
    n_classes: ClassCount | None = None,
    flag_rate: Share = FLAG_RATE,
    ids: ArrayLike | None = None,
) -> Findings:
    """Rank labels by their influence on training (TracIn, Pruthi et al., NeurIPS 2020).

    A step on sample i changes the loss of j by minus the learning rate times the product of their
    gradients, which is added up over checkpoints. For a softmax layer on features the gradient is
    (p - onehot) ⊗ (f, 1), so that the product is that of the residuals times that of the features.
    Without trusted samples a label is as suspect as it influences itself: what has to be learned by
    heart does. With them it is as suspect as it opposes them on average.

    Without probabilities a softmax layer is trained here, from zero and for 100 steps, on features
    of mean 0, deviation 1 and equal length. With those of a network, exact is the influence to
    first order on its last layer while features stay: what lower layers do, and that features
    change as a network trains, is left out.

    Traps: rare and hard samples influence themselves as wrong ones do. Of a model that knows all
    labels by heart no residual is left, and of one that has settled the gradients of trusted
    samples cancel out: take early epochs. Long features count more, and features that are never
    below 0 make all samples alike: those given with probabilities are taken as they are.

    Args:
        labels: N given labels.
        features: N × D, as the last layer sees them.
        probabilities: N × K, or of E checkpoints a list of such matrices or N × E × K; NaN where a
            sample was not seen. By default those of the layer that is trained here.
        trusted: N labels known to be right, -1 where none is known.
        learning_rates: E, of each checkpoint of `probabilities`; by default equal.
        n_classes: K, without probabilities; by default the largest label says.
        flag_rate: share of the samples to flag, the most suspect first; ties: the first wins.
        ids: N texts; by default the row numbers.

    Returns:
        Findings whose suspicion is the share of the samples with a lower score.

    Raises:
        InputError: arrays of other shapes, a sample that no checkpoint saw, no trusted label.
    """
    rows = as_features(features)
    if probabilities is None:
        if learning_rates is not None:
            raise InputError("learning_rates are those of given probabilities: leave them out")
        given = as_labels(labels, n_classes)
        K = n_classes or number_of_classes(given)
        same_length(given, rows, "features")
        rows = equal_lengths(rows)
        checkpoints: Iterable[tuple[Array, float]] = softmax_layer(given, rows, K)
    else:
        tables = _tables(probabilities)
        K = tables[0].shape[1]
        given = as_labels(labels, K)
        same_length(given, rows, "features")
        same_length(given, tables[0], "probabilities")
        checkpoints = zip(tables, _rates(learning_rates, len(tables)).tolist(), strict=True)
    true = None if trusted is None else _trusted(trusted, len(given), K)
    scores, weight = np.zeros(len(given)), np.zeros(len(given))
    for table, rate in checkpoints:
        seen = ~np.isnan(table[:, 0])
        known = seen if true is None else seen & (true != UNKNOWN)
        if true is not None and known.any():
            direction = _direction(rows[known], table[known], true[known])
            scores[seen] -= rate * _along(rows[seen], table[seen], given[seen], direction)
            weight[seen] += rate
        elif true is None:
            scores[seen] += rate * self_influence(rows[seen], table[seen], given[seen])
            weight[seen] += rate
    if (unseen := weight == 0).any():
        raise InputError(
            f"probabilities: row {int(unseen.argmax())} was seen in no checkpoint"
            f"{'' if true is None else ' together with trusted samples'}: leave it out"
        )
    scores /= weight
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=(rankdata(scores) - 1) / max(1, len(given) - 1),
        flagged=flag_top_fraction(scores, flag_rate),
    )


def equal_lengths(features: Array) -> Array:
    """Bring N × D features to mean 0 and deviation 1, then to the length √D; float32."""
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    rows: Array = scaled.astype(np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows *= np.sqrt(rows.shape[1]) / np.where(length > 0, length, 1)
    return rows


def softmax_layer(
    labels: NDArray[np.int64], features: Array, n_classes: int
) -> Iterator[tuple[Array, float]]:
    """Train a softmax layer from zero by gradient descent.

    Yields:
        N × K probabilities before each step, and the learning rate: two over the largest
        eigenvalue of the features' covariance, which is as far as the loss is sure to fall.
    """
    wide = np.column_stack([features, np.ones(len(features), np.float32)])
    target = np.eye(n_classes, dtype=np.float32)[labels]
    weights = np.zeros((wide.shape[1], n_classes), np.float32)
    with threadpool_limits(1, "blas"):  # sums then have one order
        rate = 2 / _largest_eigenvalue(wide)
        for step in range(STEPS):
            table = softmax(wide @ weights, axis=1)
            yield table, rate
            weights -= np.float32(rate / len(wide)) * (wide.T @ (table - target))
            progress(step + 1, STEPS, "step")


def _largest_eigenvalue(rows: Array) -> float:
    """Compute that of rows' rows / N by power iteration, a little too small where two are close."""
    vector = np.ones(rows.shape[1], np.float32)
    value = 1.0
    for _ in range(30):
        vector = rows.T @ (rows @ vector) / np.float32(len(rows))
        value = float(np.linalg.norm(vector))
        if value == 0:
            return 1.0
        vector /= np.float32(value)
    return value


def self_influence(features: Array, probabilities: Array, labels: Array) -> NDArray[np.float64]:
    """Compute the squared length of N gradients of a softmax layer with a bias."""
    found = np.empty(len(labels))
    for part in chunks(len(labels), 8 * (features.shape[1] + probabilities.shape[1])):
        residual = _residuals(probabilities[part], labels[part])
        values = features[part].astype(np.float64)
        found[part] = (residual**2).sum(axis=1) * ((values**2).sum(axis=1) + 1)
    return found


def _residuals(probabilities: Array, labels: Array) -> NDArray[np.float64]:
    residual: NDArray[np.float64] = probabilities.astype(np.float64)
    residual[np.arange(len(labels)), labels] -= 1
    return residual


def _direction(features: Array, probabilities: Array, labels: Array) -> NDArray[np.float64]:
    """Average the gradients of some samples: K × (D + 1), the bias last."""
    residual = _residuals(probabilities, labels)
    weights = residual.T @ features.astype(np.float64)
    return np.column_stack([weights, residual.sum(axis=0)]) / len(labels)


def _along(
    features: Array, probabilities: Array, labels: Array, direction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiply N gradients by one."""
    found = np.empty(len(labels))
    for part in chunks(len(labels), 8 * (features.shape[1] + 2 * len(direction))):
        projected = features[part].astype(np.float64) @ direction[:, :-1].T + direction[:, -1]
        found[part] = (projected * _residuals(probabilities[part], labels[part])).sum(axis=1)
    return found


def _tables(probabilities: Checkpoints) -> list[Array]:
    if isinstance(probabilities, Probabilities):
        return [probabilities.values]
    listed = isinstance(probabilities, list | tuple) and np.ndim(probabilities[0]) == 2
    parts = list(probabilities) if listed else [probabilities]  # type: ignore[arg-type]
    arrays = [as_array(one, "probabilities") for one in parts]
    if len(arrays) == 1 and arrays[0].ndim == 3:
        arrays = list(arrays[0].swapaxes(0, 1))
    for array in arrays:
        if array.ndim != 2 or array.dtype.kind != "f" or array.shape != arrays[0].shape:
            raise InputError(
                "probabilities: expected N × K, N × E × K or a list of N × K, "
                f"got {array.dtype} {array.shape}"
            )
    return arrays


def _trusted(trusted: ArrayLike, rows: int, K: int) -> NDArray[np.int64]:
    true = as_array(trusted, "trusted")
    if true.shape != (rows,) or not np.isin(true, range(UNKNOWN, K)).all():
        raise InputError(
            f"trusted: expected {rows} classes 0…{K - 1}, or {UNKNOWN} where none is known"
        )
    if (true == UNKNOWN).all():
        raise InputError("trusted: no label is known to be right: give some, or leave it out")
    return true.astype(np.int64)


def _rates(rates: ArrayLike | None, checkpoints: int) -> NDArray[np.float64]:
    if rates is None:
        return np.ones(checkpoints)
    values = as_array(rates, "learning_rates")
    if values.shape != (checkpoints,) or not (values > 0).all():
        raise InputError(
            f"learning_rates: expected {checkpoints} numbers above 0, one of each checkpoint, "
            f"got {values.tolist()}"
        )
    return values.astype(np.float64)


class GradientTracing(Detector):
    """Ranks labels by what their gradients do to themselves, or against trusted samples.

    The gradients are those of a softmax layer on the dataset's features: of the network's own in
    every epoch where the dynamics hold its logits (the learner's `keep_logits`; the features should
    then be those below its last layer), else of one that is trained on the features from zero.
    Rare and hard samples influence themselves as wrong ones do.
    """

    requires: ClassVar[tuple[str, ...]] = ("features",)
    optional_columns: ClassVar[tuple[str, ...]] = ("dynamics",)

    trusted_samples: LocalPath | None = Field(
        default=None,
        description="samples whose labels are known: a CSV or Parquet of `label` and `id` or "
        "`path`, or a .txt of ids whose given labels are right; none: influence on itself",
    )
    learning_rates: tuple[Positive, ...] | None = Field(
        default=None, description="of each epoch whose logits were kept; by default equal"
    )
    flag_rate: Share = Field(default=FLAG_RATE, description="share of the samples to flag")

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the gradients of the last layer.

        Raises:
            InputError: learning rates without logits of epochs.
        """
        path = self.trusted_samples
        return gradient_tracing(
            dataset.labels,
            needed(dataset.features, "features", "an encoder"),
            _checkpoints(dataset),
            trusted=None if path is None else trusted_labels(path, dataset),
            learning_rates=self.learning_rates,
            n_classes=len(dataset.classes),
            flag_rate=self.flag_rate,
            ids=dataset.ids,
        )


def _checkpoints(dataset: Dataset) -> list[Array] | None:
    """Return N × K probabilities of every epoch, where its logits were kept."""
    if dataset.dynamics is None or dataset.dynamics.logits is None:
        return None
    logits = dataset.dynamics.logits
    return [softmax(logits[:, e].astype(np.float32), axis=1) for e in range(logits.shape[1])]
