"""The samples that a certificate is about, and which of them were drawn to measure."""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import InputError
from adc_plugins_review.actions.plan_verdicts import PlanVerdicts
from adc_plugins_review.campaign.plan import ReviewPlan
from adc_plugins_review.certificate.planning import audit_weights


class Population(NamedTuple):
    """M samples of the dataset under review.

    Attributes:
        rows: M rows of the dataset, ascending.
        repair: places in `rows` of those looked at because they are suspect.
        audit: places of a random sample of the others, in the order in which they were drawn.
        weights: M sampling weights, where the audit may be looked at at any time.
        expected: M chances of a wrong label, as believed when planning, where there are weights.
        is_census: all M samples are decided, whoever asked for it.
    """

    rows: NDArray[np.int64]
    repair: NDArray[np.int64]
    audit: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None
    expected: NDArray[np.float64] | None = None
    is_census: bool = False

    @property
    def shown(self) -> NDArray[np.int64]:
        """Places of all that people were shown."""
        return np.concatenate([self.repair, self.audit])


def population(
    plan: ReviewPlan,
    order: NDArray[np.int64],
    judged: PlanVerdicts,
    folder: Path,
    of: Literal["dataset", "test"],
) -> Population:
    """Find the samples that a certificate is about.

    Whoever picks does not know whom the audit has drawn: among the picked samples it is a random
    sample of those outside the repair part. Where all of them are decided, whoever asked for it,
    nothing is left to be drawn.

    Args:
        plan: of the review.
        order: N rows, the most suspicious first.
        judged: what people said.
        folder: of the review.
        of: the dataset under review, or the test set that people picked of it.

    Raises:
        InputError: nothing was picked, or nobody was asked about what was.
    """
    N = len(judged.verdict)
    among = np.ones(N, np.bool_) if of == "dataset" else judged.selected
    rows = np.flatnonzero(among)
    if not len(rows):
        raise InputError("nobody has picked samples for a test set: plan with --tasks select")
    if of == "test" and judged.decided[rows].all():
        none, every = np.zeros(0, np.int64), np.arange(len(rows))
        return Population(rows, none, every, is_census=True)
    place = np.cumsum(among) - 1
    repair, audit = (np.array(part, np.int64) for part in (plan.repair, plan.audit))
    repair, audit = place[repair[among[repair]]], place[audit[among[audit]]]
    if not len(audit) and len(repair) < len(rows):
        raise InputError(
            f"none of the {len(rows):,} picked samples was drawn to be voted on: review them as a "
            f"dataset (`adc review {folder} export --test DIR`, then `adc review DIR plan --out "
            "DIR-review`), and certify that, or `import` its votes"
        )
    if plan.look == "once":
        return Population(rows, repair, audit)
    weights, expected = audit_weights(order, plan.rate, plan.auc)
    return Population(rows, repair, audit, weights[rows], expected[rows])
