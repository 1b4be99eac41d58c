"""The majority of the votes on each item, and what to do about ties."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError
from adc_plugins_review.aggregation.vote_arrays import vote_arrays


class Majority(NamedTuple):
    """The majority of the votes.

    Attributes:
        label: N int64 class indices; -1 where there is no vote, or a tie from which one abstains.
        share: N × K shares of the votes; zeros without votes.
        ties: share of the items with votes that have a tie.
    """

    label: NDArray[np.int64]
    share: NDArray[np.float64]
    ties: float


def vote_shares(
    item: ArrayLike, label: ArrayLike, *, items: int | None = None, classes: int | None = None
) -> NDArray[np.float64]:
    """Count which share of each item's votes each class has.

    Args:
        item: V row numbers of the items.
        label: V class indices.
        items: how many items there are; by default up to the last one that has a vote.
        classes: how many classes there are; by default up to the last one that was given.

    Returns:
        N × K; zeros where an item has no vote.

    Raises:
        InputError: arrays of other lengths or out of range.
    """
    nobody = np.zeros(np.shape(np.asarray(item)), np.int64)
    return vote_arrays(item, nobody, label, items, None, classes).shares()


def majority(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    *,
    items: int | None = None,
    classes: int | None = None,
    ties: Literal["lowest", "abstain", "rarer", "probabilities"] = "lowest",
    probabilities: ArrayLike | None = None,
) -> Majority:
    """Give each item the class that most raters gave it.

    Args:
        item: V row numbers of the items.
        rater: V numbers of the raters.
        label: V class indices.
        items: how many items there are; by default up to the last one that has a vote.
        classes: how many classes there are; by default up to the last one that was given.
        ties: which of several classes with most votes: the lowest index, none, the one that has
            fewer votes over all items, or the more probable one and then the rarer.
        probabilities: N × K predictions, for ties by probabilities.

    Raises:
        InputError: arrays of other lengths or out of range, or no probabilities for such ties.
    """
    votes = vote_arrays(item, rater, label, items, None, classes)
    counts = votes.counts()
    tied = counts == counts.max(axis=1, keepdims=True)
    voted = counts.sum(axis=1) > 0
    several = (tied.sum(axis=1) > 1) & voted
    if ties == "probabilities":
        if probabilities is None or np.shape(probabilities) != counts.shape:
            raise InputError(f"ties by probabilities need a matrix of {counts.shape}: give one")
        tied = _greatest(np.asarray(probabilities, np.float64), tied)
    if ties in ("rarer", "probabilities"):
        tied = _greatest(np.broadcast_to(-counts.sum(axis=0), counts.shape), tied)
    best = np.where(voted, tied.argmax(axis=1), -1)
    if ties == "abstain":
        best[several] = -1
    return Majority(best, votes.shares(), float(several.sum() / max(1, voted.sum())))


def _greatest(values: NDArray[np.float64], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep of the marked entries of each row those with the greatest value."""
    marked = np.where(among, values, -np.inf)
    kept: NDArray[np.bool_] = among & (marked == marked.max(axis=1, keepdims=True))
    return kept
