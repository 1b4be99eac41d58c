"""CROWDLAB as a detector."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Dataset, Findings, InputError, Votes
from adc_plugins_review.aggregation.crowdlab import crowdlab
from adc_plugins_review.judging.vote_detector import VoteDetector


class Crowdlab(VoteDetector):
    """Flags labels that votes and a classifier together find wrong.

    CROWDLAB (Goh, Tkachenko and Mueller 2022): few votes a sample are enough, since a classifier
    votes too. Unsure is a doubt as no is.
    """

    requires: ClassVar[tuple[str, ...]] = ("votes", "probabilities")

    min_votes: int = Field(default=1, ge=1, description="fewer votes: the sample is not judged")

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample that has votes enough.

        Raises:
            InputError: the dataset has no votes, or no probabilities out of sample, or no sample
                has two votes.
        """
        given = dataset.probabilities
        if given is None or given.origin != "out of sample":
            raise InputError(
                "crowdlab needs probabilities of a model that has not seen the labels: add an "
                "enricher such as ridge-probe"
            )
        return super().detect(dataset)

    def classes_of(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return the posterior of raters and classifier."""
        assert dataset.probabilities is not None
        values = dataset.probabilities.values
        return crowdlab(votes.item, votes.rater, votes.label, values, raters=votes.raters).posterior

    def wrong(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return the posterior of the class wrong, to which the classifier gives the rest."""
        assert votes.answer is not None and dataset.probabilities is not None
        given = dataset.probabilities.values[np.arange(len(dataset)), dataset.labels].clip(0, 1)
        doubt = (votes.answer != 1).astype(np.int64)
        both = np.stack([given, 1 - given], axis=1)
        return crowdlab(votes.item, votes.rater, doubt, both, raters=votes.raters).posterior[:, 1]
