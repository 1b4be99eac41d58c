"""Dawid and Skene's estimate of true classes as a detector."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, Votes
from adc_plugins_review.aggregation.dawid_skene import dawid_skene
from adc_plugins_review.judging.vote_detector import EmDetector


class DawidSkene(EmDetector):
    """Flags labels that are probably wrong, given votes and each rater's confusion.

    EM of Dawid and Skene (1979); answers yes, unsure and no are those of two classes, right and
    wrong.
    """

    def classes_of(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return the posterior of the classes."""
        options = self._options(votes, len(dataset), len(dataset.classes))
        return dawid_skene(votes.item, votes.rater, votes.label, **options).posterior
