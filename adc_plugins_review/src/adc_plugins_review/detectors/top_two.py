"""The two most plausible answers as a detector."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, InputError, Votes
from adc_plugins_review.aggregation.top_two import top_two
from adc_plugins_review.judging.vote_detector import VoteDetector


class TopTwo(VoteDetector):
    """Flags labels that are neither the first answer of the votes nor a likely second one.

    For images that show two classes, or that two classes explain: suspicion is one minus the
    certainty of the first answer, and of the second the certainty itself. For three classes and
    more; the order of the classes changes the answers a little.
    """

    def classes_of(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return the certainty at the first answer and the rest at the second.

        Raises:
            InputError: there are two classes.
        """
        K = len(dataset.classes)
        if K < 3:
            raise InputError(f"top-two needs three classes, there are {K}: use dawid-skene")
        found = top_two(
            votes.item,
            votes.rater,
            votes.label,
            items=len(dataset),
            raters=votes.raters,
            classes=K,
        )
        return found.soft_labels(K)
