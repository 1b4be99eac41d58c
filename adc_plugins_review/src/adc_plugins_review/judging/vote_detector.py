"""Findings from votes, the same for every method of aggregation."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Dataset, Detector, Findings, InputError, Votes
from adc_plugins_review.aggregation.verdicts import verification
from adc_plugins_review.judging.kinds import kinds_of


class VoteDetector(Detector):
    """Judges labels by what people's votes say.

    The suspicion of a label is how probably it is wrong, given the votes. More than one half is
    flagged, but for labels that no other class beats. Samples with fewer than `min_votes` votes
    are not judged.
    """

    requires: ClassVar[tuple[str, ...]] = ("votes",)
    calibrated: ClassVar[bool] = False
    """Whether posteriors are probabilities, which add up to the noise rate, and not shares."""

    min_votes: int = Field(default=2, ge=1, description="fewer votes: the sample is not judged")

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample that has votes enough.

        Raises:
            InputError: the dataset has no votes.
        """
        votes = dataset.votes
        if votes is None:
            raise InputError("the dataset has no votes: add the enricher votes")
        N, K = len(dataset), len(dataset.classes)
        checks, names = kinds_of(votes, dataset.labels)
        suspicion = np.full(N, np.nan)
        suggested, confidence = np.full(N, -1), np.full(N, np.nan)
        posterior, tied = np.zeros((N, K)), np.zeros(N, np.bool_)
        if self._enough(checks, N).any():
            covered = self._enough(checks, N)
            suspicion[covered] = self.wrong(checks, dataset)[covered].clip(0, 1)
        if self._enough(names, N).any():
            covered = self._enough(names, N)
            posterior[covered] = self.classes_of(names, dataset)[covered]
            given = posterior[np.arange(N), dataset.labels]
            suspicion[covered] = np.fmax(suspicion, 1 - given)[covered].clip(0, 1)
            best = posterior.argmax(axis=1)
            differs = covered & (posterior[np.arange(N), best] > given)
            tied = covered & ~differs & ~self._enough(checks, N)
            suggested[differs] = best[differs]
            confidence[differs] = posterior[differs, best[differs]].clip(0, 1)
        judged = ~np.isnan(suspicion)
        flagged = (np.nan_to_num(suspicion) > 0.5) & ~tied
        voted = posterior.any(axis=1, keepdims=True)
        top = np.eye(K)[np.where(suggested < 0, dataset.labels, suggested)] * voted
        rates, likely = (suspicion, posterior) if self.calibrated else (flagged, top)
        return Findings(
            ids=dataset.ids,
            suspicion=suspicion,
            flagged=flagged,
            suggested_labels=suggested,
            suggestion_confidence=confidence,
            transition=_transition(likely, dataset.labels),
            noise_rate=float(rates[judged].mean()) if judged.any() else None,
            covered=judged,
        )

    def _enough(self, votes: Votes, N: int) -> NDArray[np.bool_]:
        return np.bincount(votes.item, minlength=N) >= self.min_votes

    @abstractmethod
    def classes_of(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return N × K probabilities of the true class, from votes for classes."""

    def wrong(self, votes: Votes, dataset: Dataset) -> NDArray[np.float64]:
        """Return N probabilities that the given label is wrong, from answers about it.

        By Dawid and Skene's method unless a detector knows better: MACE and one coin take both
        classes, right and wrong, for equally frequent or equally hard, which answers about mostly
        right labels are not.
        """
        assert votes.answer is not None
        found = verification(
            votes.item, votes.rater, votes.answer, items=len(dataset), raters=votes.raters
        )
        return found.posterior[:, 1]


class EmDetector(VoteDetector):
    """Judges labels by votes, with an estimate of what each rater is worth."""

    calibrated: ClassVar[bool] = True

    pseudo_count: float = Field(
        default=0.01,
        gt=0,
        description="added to the counts of each rater, so that few votes prove little",
    )
    tolerance: float = Field(
        default=1e-10,
        gt=0,
        description="stop when the log-likelihood changes by less, as a share of it",
    )
    steps: int = Field(default=500, ge=1, description="stop after so many steps")

    def _options(self, votes: Votes, N: int, K: int) -> dict[str, Any]:
        em = {"smoothing": self.pseudo_count, "tolerance": self.tolerance, "steps": self.steps}
        return {"items": N, "raters": votes.raters, "classes": K, **em}


def _transition(
    posterior: NDArray[np.float64], labels: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Estimate P(given label | true class) of the samples whose class was voted on."""
    if not posterior.any():
        return None
    K = posterior.shape[1]
    counts = np.stack([np.bincount(labels, posterior[:, k], minlength=K) for k in range(K)])
    total = counts.sum(axis=1, keepdims=True)
    transition: NDArray[np.float64] = np.where(
        total > 0, counts / np.where(total > 0, total, 1), np.eye(K)
    )
    return transition
