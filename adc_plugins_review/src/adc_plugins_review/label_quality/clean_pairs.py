"""What the network learns from: votes on samples whose true class is known, or as good as known."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Votes
from adc_plugins_review.aggregation.dawid_skene import TINY, dawid_skene, normalized

SURE, OTHERS = 0.95, 5
"""A consensus is what others, so many of them, make at least so probable."""


class CleanPairs(NamedTuple):
    """Votes with the true class of each, and the samples whose class is known.

    Attributes:
        votes: P votes.
        true: P class indices.
        known: N class indices, -1 where nobody knows.
    """

    votes: Votes
    true: NDArray[np.int64]
    known: NDArray[np.int64]


def trusted_pairs(votes: Votes, items: int) -> CleanPairs:
    """Take the votes on samples that a trusted rater voted on; his latest class is true.

    Args:
        votes: yes to classes alone.
        items: N, how many samples there are.
    """
    known, ordinary = _trusted_classes(votes, items), ordinary_votes(votes)
    pairs = ordinary.take(known[ordinary.item] >= 0)
    return CleanPairs(pairs, known[pairs.item], known)


def consensus_pairs(votes: Votes, items: int, classes: int) -> CleanPairs:
    """Take the votes on samples of which the others are sure, by the model of Dawid and Skene.

    Each vote is left out of the chance of the class that it is compared with: five others or more
    must make one at least 95 % probable. What a trusted rater said is known all the same.

    Args:
        votes: yes to classes alone.
        items: N, how many samples there are.
        classes: K.
    """
    known, given = _trusted_classes(votes, items), ordinary_votes(votes)
    number = np.bincount(given.item, minlength=items)
    if number.max(initial=0) <= OTHERS:
        return CleanPairs(given.take(np.zeros(len(given), np.bool_)), known[:0], known)
    found = dawid_skene(
        given.item, given.rater, given.label, items=items, raters=given.raters, classes=classes
    )
    sure = (number >= OTHERS) & (found.posterior.max(axis=1) >= SURE) & (known < 0)
    known[sure] = found.posterior[sure].argmax(axis=1)
    many = np.flatnonzero(number[given.item] > OTHERS)
    own = np.maximum(found.confusion[given.rater[many], :, given.label[many]], TINY)
    whole = np.maximum(found.posterior[given.item[many]], TINY)
    others, _ = normalized(np.log(whole) - np.log(own))
    agreed = others.max(axis=1) >= SURE
    return CleanPairs(given.take(many[agreed]), others[agreed].argmax(axis=1), known)


def ordinary_votes(votes: Votes) -> Votes:
    """Leave out what trusted raters said."""
    return votes if votes.trusted is None else votes.take(~votes.trusted[votes.rater])


def _trusted_classes(votes: Votes, items: int) -> NDArray[np.int64]:
    """Return the latest class that a trusted rater gave each sample, -1 without any."""
    known = np.full(items, -1)
    if votes.trusted is not None:
        said = votes.take(votes.trusted[votes.rater])
        time = np.zeros(len(said)) if said.time is None else said.time
        order = np.lexsort((time, said.item))
        known[said.item[order]] = said.label[order]
    return known
