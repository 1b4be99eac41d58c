"""Which samples the pruning rules of confident learning flag, one given class at a time."""

import numpy as np
from numpy.typing import NDArray

from adc_core.arrays import Array
from adc_plugins_detect.confident.joint import (
    CLOSE,
    ConfidentJoint,
    Counts,
    in_range,
    round_rows,
)
from adc_plugins_detect.scoring import highest


def prune(
    labels: NDArray[np.int64],
    probabilities: Array,
    joint: ConfidentJoint,
    *,
    by_class: bool,
    by_noise_rate: bool,
    frac_noise: float,
    min_examples_per_class: int,
    num_to_remove_per_class: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """Flag as many samples as the calibrated joint says are wrong.

    By class: of each given class, those with the lowest probability of it. By noise rate: for
    each pair of classes, those of the given one with the largest margin of the other over it.
    Equals are taken in their order. With both, a sample must be flagged by each.

    Args:
        labels: N given labels.
        probabilities: N × K.
        joint: what they count.
        by_class: flag by class.
        by_noise_rate: flag by noise rate.
        frac_noise: share of the counted wrong labels to take.
        min_examples_per_class: leave as many.
        num_to_remove_per_class: K; the joint then only decides how these are spread.

    Returns:
        N booleans.
    """
    prune_counts = _prune_counts(joint, frac_noise, min_examples_per_class)
    if num_to_remove_per_class is not None:
        prune_counts = _as_many_as(num_to_remove_per_class, prune_counts, joint.class_counts)
    flagged = np.zeros(len(labels), np.bool_)
    ends = np.cumsum(joint.class_counts)
    members = np.argsort(labels.astype(np.min_scalar_type(len(ends))), kind="stable")
    first = np.searchsorted(prune_counts.given, np.arange(len(ends) + 1))
    # A class's only sample stays, even if its class may be emptied: that is cleanlab's rule.
    for given in np.flatnonzero(joint.class_counts > max(1, min_examples_per_class)):
        rows = members[ends[given] - joint.class_counts[given] : ends[given]]
        entries = slice(first[given], first[given + 1])
        true, counts = prune_counts.true[entries], prune_counts.counts[entries]
        own = joint.given_probability[rows]
        wrong = np.ones(len(rows), np.bool_)
        if by_class:
            kept = counts[true == given].sum()
            wrong = highest(-own, len(rows) - int(kept))
        if by_noise_rate:
            others = (true != given) & (counts > 0)
            wrong &= _by_margin(probabilities, joint, rows, true[others], counts[others])
        flagged[rows] = wrong
    return flagged


def _by_margin(
    probabilities: Array, joint: ConfidentJoint, rows: Array, others: Array, counts: Array
) -> NDArray[np.bool_]:
    """Take the samples of one given class with the largest margins of each other class over it."""
    wrong = np.zeros(len(rows), np.bool_)
    # Nearly always as many samples as are wanted have another class clearly ahead, and these
    # are few. Only where they do not suffice, all are looked at.
    ahead = np.flatnonzero(~joint.agrees[rows])
    margins = _margins(probabilities, joint, rows[ahead], others)
    scarce = (margins > CLOSE).sum(axis=0) < counts
    for margin, count in zip(margins.T[~scarce], counts[~scarce], strict=True):
        wrong[ahead] |= highest(margin, int(count))
    if scarce.any():
        margins = _margins(probabilities, joint, rows, others[scarce])
        for margin, count in zip(margins.T, counts[scarce], strict=True):
            wrong |= highest(margin, int(count))
    return wrong


def _margins(
    probabilities: Array, joint: ConfidentJoint, rows: Array, others: Array
) -> NDArray[np.float64]:
    # Whole rows are copied faster than single entries, unless few of the entries are wanted.
    if 4 * len(others) < probabilities.shape[1]:
        block = probabilities[np.ix_(rows, others)]
    else:
        block = probabilities[rows][:, others]
    margins: NDArray[np.float64] = in_range(block) - joint.given_probability[rows][:, None]
    return margins


def _as_many_as(
    wanted: NDArray[np.int64], prune_counts: Counts, class_counts: NDArray[np.int64]
) -> Counts:
    """Spread as many wrong labels as are wanted of each class as the counts are spread.

    Shares are taken and rounded along the rows of true × given, which are cleanlab's.
    """
    counts = prune_counts.dense().T.astype(np.float64)
    K, sums = len(counts), counts.sum(axis=1)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    noise = shares.sum(axis=1) - shares.diagonal()
    # In cleanlab's order, for the last bit decides how halves round.
    spread = (shares.T * wanted / np.where(noise > 0, noise, 1)).T
    np.fill_diagonal(spread, class_counts - wanted)
    rows = np.repeat(np.arange(K), K)
    return Counts.of(round_rows(rows, spread.ravel(), K).reshape(K, K).T)


def _prune_counts(joint: ConfidentJoint, frac_noise: float, min_examples_per_class: int) -> Counts:
    """Count how many to take of each pair of classes; the diagonal: how many of a class to keep."""
    K, given, true = joint.calibrated.n_classes, joint.calibrated.given, joint.calibrated.true
    counts, diagonal = joint.calibrated.counts, joint.calibrated.diagonal
    kept = np.maximum(diagonal, min_examples_per_class).astype(np.float64)
    others = np.maximum(np.bincount(given, counts > 0, K) - 1, 1)
    values = np.maximum(counts - ((kept - diagonal) / others)[given], 0)
    reduced = values * frac_noise
    if frac_noise < 1:
        first = np.searchsorted(given, np.arange(K + 1))
        for k in range(K):
            # Added as a dense column, in whose order cleanlab's sum rounds.
            column = np.zeros(K)
            entries = slice(first[k], first[k + 1])
            column[true[entries]] = (values - reduced)[entries]
            column[k] = 0
            kept[k] += column.sum()
    reduced[given == true] = kept
    return Counts(K, given, true, reduced.astype(np.int64))
