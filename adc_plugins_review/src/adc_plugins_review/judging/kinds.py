"""Two kinds of votes: whether the given label is right, and which class a sample is of."""

from typing import NamedTuple

import numpy as np

from adc_core import Votes
from adc_core.arrays import Array


class VoteKinds(NamedTuple):
    """The votes of a dataset by what they answer; a yes to the given label can count as both.

    Attributes:
        checks: answers yes, unsure or no to "is the given label right?".
        names: votes for a class, on samples that nobody was asked about in that way, or for which
            somebody named another class.
    """

    checks: Votes
    names: Votes


def kinds_of(votes: Votes, labels: Array) -> VoteKinds:
    """Divide the votes of a dataset with these given labels.

    Votes without answers are names of classes. Answers about a label that the sample no longer has
    count as neither, unless they are yes.
    """
    if votes.answer is None:
        return VoteKinds(votes.take(np.zeros(len(votes), np.bool_)), votes)
    given = votes.label == labels[votes.item]
    yes = votes.answer == 1
    named = np.zeros(len(labels), np.bool_)
    named[votes.item[yes & ~given]] = True
    return VoteKinds(votes.take(given), votes.take(yes & named[votes.item]).replace(answer=None))
