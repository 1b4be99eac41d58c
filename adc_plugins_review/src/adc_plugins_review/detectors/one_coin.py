"""One skill per rater as a detector."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, Votes, status
from adc_plugins_review.aggregation.dawid_skene import dawid_skene
from adc_plugins_review.aggregation.one_coin import one_coin
from adc_plugins_review.judging.vote_detector import EmDetector

_UNEQUAL = 0.3


class OneCoin(EmDetector):
    """Flags labels that are probably wrong, given votes and one skill of each rater.

    For few votes per rater; where raters confuse classes in one direction `dawid-skene` is better,
    and the status says so.
    """

    def classes_of(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return the posterior of the classes."""
        options = self._options(votes, len(dataset), len(dataset.classes))
        found = dawid_skene(votes.item, votes.rater, votes.label, **options)
        often = np.bincount(votes.rater, minlength=votes.raters)
        right = np.average(np.diagonal(found.confusion, axis1=1, axis2=2), axis=0, weights=often)
        if np.ptp(right) > _UNEQUAL:
            status(
                f"raters know some classes better than others ({right.min():.0%} to "
                f"{right.max():.0%} right): use dawid-skene"
            )
        return one_coin(votes.item, votes.rater, votes.label, **options).posterior
