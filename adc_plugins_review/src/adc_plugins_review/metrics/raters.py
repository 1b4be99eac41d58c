"""The metric of raters: how far they agree, and how often each is right."""

from typing import ClassVar, Literal

import numpy as np

from adc_core import Measurement, Metric, Run
from adc_plugins_review.aggregation.agreement import krippendorff_alpha
from adc_plugins_review.aggregation.realism import realism

_SUBJECT = "raters"


class Raters(Metric):
    """Measures agreement of the raters, and with the truth their errors and each one's accuracy.

    Votes for classes count, and answers yes, which name one. An overdispersion well above 1 says
    that raters find the same samples hard, as people do.
    """

    requires: ClassVar[tuple[str, ...]] = ("votes",)

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure the votes of the collected dataset.

        Returns:
            Krippendorff's alpha, votes per sample, overall error, overdispersion and intraclass
            correlation of errors, accuracy of each rater; what is not known is None.
        """
        dataset, truth = run.collected, run.truth
        assert dataset.votes is not None
        votes = dataset.votes.given()
        counts = votes.counts(len(dataset), len(dataset.classes))
        number = counts.sum(axis=1)
        measured = [
            _figure("Krippendorff's alpha", krippendorff_alpha(counts), "higher"),
            _figure("votes per sample", float(number[number > 0].mean()) if len(votes) else None),
        ]
        known = (number > 0) & (truth >= 0) if truth is not None else np.zeros(len(number), bool)
        if truth is None or known.sum() < 2:
            return tuple(measured)
        found = realism(counts, truth)
        measured += [
            _figure("rater error", found.overall_error, "lower"),
            _figure("overdispersion of errors", found.overdispersion),
            _figure("intraclass correlation of errors", found.intraclass_correlation),
        ]
        judged = votes.take(known[votes.item])
        right = (judged.label == truth[judged.item]).astype(np.float64)
        number_of = np.bincount(judged.rater, minlength=votes.raters)
        hits = np.bincount(judged.rater, right, minlength=votes.raters)
        names = votes.names or tuple(f"rater {number}" for number in range(votes.raters))
        measured += [
            _figure("accuracy", hits[r] / number_of[r], "higher", name)
            for r, name in enumerate(names)
            if number_of[r]
        ]
        return tuple(measured)


def _figure(
    metric: str,
    value: float | None,
    better: Literal["higher", "lower"] = "higher",
    rater: str | None = None,
) -> Measurement:
    known = value is not None and np.isfinite(value)
    return Measurement(
        metric=metric,
        subject=rater or _SUBJECT,
        value=float(value) if known and value is not None else None,
        better=better,
        detail=rater is not None,
    )
