"""One coin per rater: right with his skill, otherwise any other class alike."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_plugins_review.aggregation.dawid_skene import TINY, normalized, settled
from adc_plugins_review.aggregation.vote_arrays import refuse_single_votes, vote_arrays


class OneCoinResult(NamedTuple):
    """What EM finds.

    Attributes:
        posterior: N × K probabilities of the true class; the prior where an item has no vote.
        skill: R shares of right answers.
        log_likelihoods: of the votes after each step.
    """

    posterior: NDArray[np.float64]
    skill: NDArray[np.float64]
    log_likelihoods: tuple[float, ...]


def one_coin(
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
) -> OneCoinResult:
    """Estimate true classes and one skill per rater (Dawid and Skene 1979, with equal errors).

    A rater who confuses two classes in one direction is not understood: where confusions are
    unequal it can be worse than the majority.

    Args:
        item: V row numbers of the items.
        rater: V numbers of the raters.
        label: V class indices.
        items: how many items there are; by default up to the last one that has a vote.
        raters: how many raters.
        classes: K, how many classes.
        smoothing: added to a rater's right answers, and K times to all of them.
        tolerance: EM stops where the log-likelihood changes by less than this share of it.
        steps: EM stops after so many.

    Raises:
        InputError: arrays of other lengths or out of range, or each item has one vote.
    """
    votes = vote_arrays(item, rater, label, items, raters, classes)
    refuse_single_votes(votes)
    K = votes.answers
    posterior, history = votes.shares(), list[float]()
    voted = np.bincount(votes.item, minlength=votes.items) > 0
    number = np.bincount(votes.rater, minlength=votes.raters).astype(np.float64)
    places = votes.item * K + votes.label
    while True:
        prior = posterior[voted].mean(axis=0)
        right = np.bincount(votes.rater, posterior[votes.item, votes.label], minlength=votes.raters)
        skill = (right + smoothing) / np.maximum(number + smoothing * K, TINY)
        log_right, log_wrong = np.log(skill.clip(TINY)), np.log(((1 - skill) / (K - 1)).clip(TINY))
        logs = np.tile(np.log(np.maximum(prior, TINY)), (votes.items, 1))
        logs += np.bincount(votes.item, log_wrong[votes.rater], minlength=votes.items)[:, None]
        gain = (log_right - log_wrong)[votes.rater]
        logs += np.bincount(places, gain, minlength=logs.size).reshape(logs.shape)
        posterior, total = normalized(logs)
        history.append(float(total[voted].sum()))
        if len(history) >= steps or settled(history, tolerance):
            return OneCoinResult(posterior, skill, tuple(history))
