"""MACE as a detector."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, Votes
from adc_plugins_review.aggregation.mace import mace
from adc_plugins_review.judging.vote_detector import EmDetector


class Mace(EmDetector):
    """Flags labels that are probably wrong, given votes of whom some know and some guess.

    MACE (Hovy et al. 2013): for crowds in which some people do not look.
    """

    def classes_of(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return the posterior of the classes."""
        options = self._options(votes, len(dataset), len(dataset.classes))
        return mace(votes.item, votes.rater, votes.label, **options).posterior
