"""MACE: a rater knows the class, or answers by habit."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_plugins_review.aggregation.dawid_skene import TINY, normalized, settled
from adc_plugins_review.aggregation.vote_arrays import (
    VoteArrays,
    refuse_single_votes,
    vote_arrays,
)


class MaceResult(NamedTuple):
    """What EM finds.

    Attributes:
        posterior: N × K probabilities of the true class; uniform where an item has no vote.
        competence: R chances that a rater knows the class.
        habit: R × K shares of the classes that a rater gives where he does not.
        log_likelihoods: of the votes after each step.
    """

    posterior: NDArray[np.float64]
    competence: NDArray[np.float64]
    habit: NDArray[np.float64]
    log_likelihoods: tuple[float, ...]


def mace(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    *,
    items: int | None = None,
    raters: int | None = None,
    classes: int | None = None,
    smoothing: float = 0.01,
    tolerance: float = 1e-10,
    steps: int = 500,
) -> MaceResult:
    """Estimate true classes, and who knows them (Hovy, Berg-Kirkpatrick, Vaswani and Hovy 2013).

    EM with one start, competence one half and uniform habits, so that the same votes always give
    the same answer; the paper restarts from random ones.

    Args:
        item: V row numbers of the items.
        rater: V numbers of the raters.
        label: V class indices.
        items: how many items there are; by default up to the last one that has a vote.
        raters: how many raters.
        classes: K, how many classes.
        smoothing: K-th of it is added to each count.
        tolerance: EM stops where the log-likelihood changes by less than this share of it.
        steps: EM stops after so many.

    Raises:
        InputError: arrays of other lengths or out of range, or each item has one vote.
    """
    votes = vote_arrays(item, rater, label, items, raters, classes)
    refuse_single_votes(votes)
    K, history = votes.answers, list[float]()
    voted = np.bincount(votes.item, minlength=votes.items) > 0
    competence = np.full(votes.raters, 0.5)
    habit = np.full((votes.raters, K), 1.0 / K)
    places = votes.item * K + votes.label
    while True:
        chance = ((1 - competence[votes.rater]) * habit[votes.rater, votes.label]).clip(TINY)
        logs = np.full((votes.items, K), -math.log(K))
        logs += np.bincount(votes.item, np.log(chance), minlength=votes.items)[:, None]
        gain = np.log(competence[votes.rater] + chance) - np.log(chance)
        logs += np.bincount(places, gain, minlength=logs.size).reshape(logs.shape)
        posterior, total = normalized(logs)
        history.append(float(total[voted].sum()))
        if len(history) >= steps or settled(history, tolerance, begun=2):
            return MaceResult(posterior, competence, habit, tuple(history))
        competence, habit = _skills(votes, posterior, competence, habit, smoothing / K)


def _skills(
    votes: VoteArrays,
    posterior: NDArray[np.float64],
    competence: NDArray[np.float64],
    habit: NDArray[np.float64],
    smoothing: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Divide each vote into knowledge and habit, and count both by rater."""
    rater, R, K = votes.rater, votes.raters, votes.answers
    agreed = posterior[votes.item, votes.label]
    lucky = (1 - competence[rater]) * habit[rater, votes.label]
    by_habit = lucky / np.maximum(competence[rater] + lucky, TINY)
    guessed = agreed * by_habit + (1 - agreed)
    known = np.bincount(rater, agreed * (1 - by_habit), minlength=R)
    counts = np.bincount(rater * K + votes.label, guessed, minlength=R * K).reshape(R, K)
    total = known + counts.sum(axis=1) + 2 * smoothing
    by_class = counts + smoothing
    competence = (known + smoothing) / np.maximum(total, TINY)
    return competence, by_class / np.maximum(by_class.sum(axis=1, keepdims=True), TINY)
