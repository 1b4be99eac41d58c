"""The majority of the votes as a detector."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, Votes
from adc_plugins_review.aggregation.majority import majority
from adc_plugins_review.judging.vote_detector import VoteDetector


class MajorityVotes(VoteDetector):
    """Flags labels that most raters do not give.

    The suspicion is the share of the votes for other classes, or of the answers other than yes.
    Where the given label has as many votes as any other class it is not flagged.
    """

    def classes_of(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return the shares of the votes."""
        N, K = len(dataset), len(dataset.classes)
        return majority(votes.item, votes.rater, votes.label, items=N, classes=K).share

    def wrong(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return the shares of the answers that are not yes."""
        assert votes.answer is not None
        number = np.bincount(votes.item, minlength=len(dataset))
        doubts = np.bincount(votes.item[votes.answer != 1], minlength=len(dataset))
        share: NDArray[np.float64] = doubts / number.clip(min=1)
        return share
