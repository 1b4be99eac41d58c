"""What a model of the raters says is left: information, and never the certificate."""

import numpy as np
from numpy.typing import NDArray

from adc_plugins_review.aggregation.verdicts import verification


def modelled_rate(
    item: NDArray[np.int64],
    rater: NDArray[np.int64],
    answer: NDArray[np.int64],
    repair: NDArray[np.int64],
    audit: NDArray[np.int64],
    leaves: NDArray[np.bool_],
) -> float | None:
    """Estimate the share of wrong labels left, by the chances that Dawid and Skene's model gives.

    The chances of the audited samples stand for all outside the repair part. Whoever is asked again
    where the first one doubted is asked at random, given what was said: the model may ignore it.

    Args:
        item: V places of the samples.
        rater: V numbers of the raters.
        answer: V answers: 1 yes, 0 unsure, -1 no.
        repair: places of the samples looked at because they are suspect.
        audit: places of the random sample of the others.
        leaves: M booleans: the sample leaves the dataset.

    Returns:
        The share; None where no sample has two votes, or none was audited or is left.
    """
    shown = np.zeros(len(leaves), np.bool_)
    shown[repair] = shown[audit] = True
    known = shown[item]
    item, rater, answer = item[known], rater[known], answer[known]
    if not len(audit) or leaves.all() or np.bincount(item, minlength=1).max() < 2:
        return None
    # Those of whom nobody said anything keep the prior, which is that of the others.
    wrong = verification(
        item, rater, answer, items=len(leaves), raters=int(rater.max()) + 1
    ).posterior[:, 1]
    unseen = ~shown
    left = wrong[shown & ~leaves].sum() + wrong[audit].mean() * (unseen & ~leaves).sum()
    return float(left / (~leaves).sum())
