"""The confident joint: how many samples of each given label confidently belong to each class.

Counts are kept as (given, true, count) triples, sorted, because with many classes nearly all
pairs are empty: there are at most N + K of them, whatever K.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adc_core import InputError, progress
from adc_core.arrays import Array

CLOSE = 1e-6
"""Probabilities this close to a threshold, or to each other, count as having reached it."""

_CHUNK_ENTRIES = 1 << 18


@dataclass(frozen=True)
class Counts:
    """A K × K matrix of counts by its entries, sorted by given label, then by true label.

    Attributes:
        n_classes: K.
        given: E int64 given labels.
        true: E int64 true labels.
        counts: E int64 counts; the whole diagonal is among them.
    """

    n_classes: int
    given: NDArray[np.int64]
    true: NDArray[np.int64]
    counts: NDArray[np.int64]

    def dense(self) -> NDArray[np.int64]:
        """Expand to K × K counts: row = given label, column = true label."""
        matrix = np.zeros((self.n_classes, self.n_classes), np.int64)
        matrix[self.given, self.true] = self.counts
        return matrix

    @classmethod
    def of(cls, matrix: Array) -> "Counts":
        """Take the entries of a K × K matrix of counts: row = given label, column = true label."""
        given, true = np.nonzero((matrix != 0) | np.eye(len(matrix), dtype=np.bool_))
        return cls(len(matrix), given, true, matrix[given, true].astype(np.int64))

    @property
    def diagonal(self) -> NDArray[np.int64]:
        """K counts of samples whose given label is the true one."""
        counts: NDArray[np.int64] = self.counts[self.given == self.true]
        return counts


@dataclass(frozen=True)
class ConfidentJoint:
    """What confident learning counts.

    Attributes:
        thresholds: K float64: mean probability of a class among the samples labelled so;
            2, which no probability reaches, for a class that no sample is labelled with.
        raw: counts of the samples that reach a threshold, the diagonal at least one.
        calibrated: the same, scaled so that each given label has as many as it has samples.
        class_counts: K samples of each given label.
        given_probability: N float64 probability of the given label.
        predicted: N int32 most probable class.
        off_diagonal: N booleans: confidently of another class than given.
        agrees: N booleans: the given label is the most probable one, or within `CLOSE` of it.
    """

    thresholds: NDArray[np.float64]
    raw: Counts
    calibrated: Counts
    class_counts: NDArray[np.int64]
    given_probability: NDArray[np.float64]
    predicted: NDArray[np.int32]
    off_diagonal: NDArray[np.bool_]
    agrees: NDArray[np.bool_]

    @property
    def noise_rate(self) -> float:
        """Estimated share of wrong labels: what is off the diagonal of the joint."""
        return float(1 - self.calibrated.diagonal.sum() / self.calibrated.counts.sum())

    def transition(self) -> NDArray[np.float64]:
        """Estimate K × K P(given | true), row = true class.

        A class that no sample is counted into keeps its labels.
        """
        joint = self.calibrated.dense().T.astype(np.float64)
        empty = joint.sum(axis=1) == 0
        joint[empty, empty] = 1
        joint /= joint.sum(axis=1, keepdims=True)
        return joint


def confident_joint(
    labels: NDArray[np.int64], probabilities: Array, thresholds: NDArray[np.float64] | None = None
) -> ConfidentJoint:
    """Count the samples that are confidently of each class (Northcutt et al., JAIR 2021).

    The probabilities may be of any float type and memory-mapped: they are read a chunk at a time,
    and taken for what they are in double precision, clipped to 0…1.

    Args:
        labels: N int64 given labels in 0…K-1.
        probabilities: N × K out-of-sample probabilities.
        thresholds: K, from which on a class is taken to be meant; by default its mean probability
            among the samples labelled so.

    Raises:
        InputError: a row of probabilities is negative, not finite or does not sum to one.
    """
    n, K = probabilities.shape
    class_counts = np.bincount(labels, minlength=K)
    given_probability = in_range(probabilities[np.arange(n), labels]).astype(np.float64)
    if thresholds is None:
        with np.errstate(invalid="ignore"):
            means = np.bincount(labels, given_probability, minlength=K) / class_counts
        thresholds = np.where(class_counts == 0, 2.0, np.maximum(means, 2 * CLOSE))
    reached = thresholds - CLOSE
    predicted = np.empty(n, np.int32)
    guess = np.empty(n, np.int32)
    agrees = np.empty(n, np.bool_)
    step = max(1, _CHUNK_ENTRIES // K)
    for start in range(0, n, step):
        part = slice(start, min(n, start + step))
        block = checked(probabilities[part], start)
        best = block.argmax(axis=1)
        highest = block.take(np.arange(0, block.size, K) + best).astype(np.float64)
        own = given_probability[part] + CLOSE
        agrees[part] = (
            (best == labels[part]) | (own > highest) | ((own == highest) & (labels[part] < best))
        )
        predicted[part] = best
        guess[part] = np.where(highest >= reached[best], best, -1)
        # The most probable class stays below its own threshold, yet another may reach its own.
        open_rows = np.flatnonzero((guess[part] < 0) & (highest >= reached.min()))
        if len(open_rows):
            guess[start + open_rows] = _only_or_best(block[open_rows], reached, best[open_rows])
        progress(part.stop, n, "sample")
    used = guess >= 0
    raw = _count(labels[used], guess[used], K)
    return ConfidentJoint(
        thresholds=thresholds,
        raw=raw,
        calibrated=calibrate(raw, class_counts),
        class_counts=class_counts,
        given_probability=given_probability,
        predicted=predicted,
        off_diagonal=used & (guess != labels),
        agrees=agrees,
    )


def checked(block: Array, first_row: int) -> Array:
    """Check a chunk of probabilities in 0…1; halves become singles, which are faster.

    Raises:
        InputError: a row is negative, not finite or does not sum to one.
    """
    if block.dtype == np.float16:
        block = block.astype(np.float32)
    # One product shows what is not finite and what does not sum to one.
    with np.errstate(invalid="ignore", over="ignore"):
        off = ~(np.abs(block @ np.ones(block.shape[1], block.dtype) - 1) <= 1e-2)
    lowest = block.min()
    if off.any() or lowest < -1e-3:
        wrong = off | (block < -1e-3).any(axis=1)
        row = int(wrong.argmax())
        raise InputError(
            f"probabilities: row {first_row + row} is {_shown(block[row])}: "
            "expected finite numbers in 0…1 that sum to one, as softmax gives"
        )
    return in_range(block)


def in_range(values: Array) -> Array:
    """Clip values to 0…1: halves and singles stray a little when a softmax is rounded."""
    inside = values.min(initial=0) >= 0 and values.max(initial=1) <= 1
    return values if inside else values.clip(0, 1)


def _shown(row: Array) -> str:
    numbers = ", ".join(f"{value:.4g}" for value in row[:3])
    return f"{numbers}{', …' if len(row) > 3 else ''} with sum {row.sum():.4g}"


def _only_or_best(block: Array, reached: Array, best: Array) -> Array:
    """Return the one class that reaches its threshold; of several the most probable; else -1."""
    above = block >= reached
    many = above.sum(axis=1)
    return np.where(many > 1, best, np.where(many == 1, above.argmax(axis=1), -1))


def _count(given: Array, true: Array, n_classes: int) -> Counts:
    codes = given * n_classes + true  # int64, as the given labels are
    if n_classes**2 <= 4 * len(codes) + (1 << 16):
        counts = np.bincount(codes, minlength=n_classes**2).reshape(n_classes, n_classes)
        np.fill_diagonal(counts, counts.diagonal().clip(min=1))
        codes = np.flatnonzero(counts)
        return Counts(n_classes, *np.divmod(codes, n_classes), counts.ravel()[codes])
    diagonal = np.arange(n_classes) * (n_classes + 1)
    codes, counts = np.unique(np.concatenate([codes, diagonal]), return_counts=True)
    given, true = np.divmod(codes, n_classes)
    # The diagonal was counted once too often, except where that one makes the least of one.
    counts -= (given == true) & (counts > 1)
    return Counts(n_classes, given, true, counts)


def calibrate(raw: Counts, class_counts: NDArray[np.int64]) -> Counts:
    """Scale counts so that each given label has as many as it has samples, in whole numbers."""
    K = raw.n_classes
    sums = np.bincount(raw.given, raw.counts, minlength=K)
    values = raw.counts / sums[raw.given] * class_counts[raw.given]
    # Scaling has changed the total by an ulp or so, and that decides how exact halves round.
    # Adding in the order of the dense matrix of true × given makes them round as in cleanlab.
    dense = np.zeros(K * K)
    dense[raw.true * K + raw.given] = values
    values = values / dense.sum() * class_counts.sum()
    return Counts(K, raw.given, raw.true, round_rows(raw.given, values, K))


def round_rows(rows: Array, values: Array, n_rows: int) -> NDArray[np.int64]:
    """Round entries to whole numbers so that each row keeps its sum, itself rounded.

    Args:
        rows: E row numbers, ascending.
        values: E numbers.
        n_rows: how many rows there are.
    """
    whole = values.round()
    rest = values - whole
    missing = np.bincount(rows, values, n_rows).round() - np.bincount(rows, whole, n_rows)
    order = np.lexsort((rest, rows))
    counts = np.bincount(rows, minlength=n_rows)
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    missing, left = np.repeat(missing, counts), np.repeat(counts, counts) - rank
    whole[order] += (left <= missing).astype(float) - (rank < -missing)
    return whole.astype(np.int64)
