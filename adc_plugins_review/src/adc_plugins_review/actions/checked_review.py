"""What a certificate is made of, checked to belong together: plan, votes, dataset, findings."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adc_core import Dataset, InputError
from adc_core.arrays import from_arrow
from adc_core.records import rows_of
from adc_plugins_review.campaign.plan import (
    DATABASE,
    PLAN,
    REVIEW,
    ReviewPlan,
    draw_audit,
    generator,
)
from adc_plugins_review.campaign.source import source_of
from adc_plugins_review.certificate.planning import (
    expected_errors,
    sampling_weights,
    weighted_order,
)


class Reviewed(NamedTuple):
    """The samples under review.

    Attributes:
        dataset: as the plan was made for it.
        order: N rows, the most suspicious first; as they are where nothing is known.
    """

    dataset: Dataset
    order: NDArray[np.int64]


def reviewed(plan: ReviewPlan, folder: Path) -> Reviewed:
    """Find the dataset that the plan was made for, in a run or at its own place.

    Raises:
        InputError: it is another one by now.
    """
    source = source_of(plan, folder)
    order = np.arange(len(source.dataset)) if source.order is None else source.order
    return Reviewed(source.dataset, order)


def refuse_other_plan(plan: ReviewPlan, folder: Path) -> None:
    """Refuse a plan that is not the one under which people voted.

    Raises:
        InputError: the database of votes names another one.
    """
    path = folder / REVIEW / DATABASE
    if not path.exists():
        return
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        row = database.execute("SELECT value FROM meta WHERE key = 'plan'").fetchone()
    if row is None or row[0] != plan.sha256:
        raise InputError(f"{path} has votes under another plan: put {PLAN} back as it was")


def refuse_chosen_audit(plan: ReviewPlan, order: NDArray[np.int64]) -> None:
    """Refuse an audit that is not what the plan's seed draws from what was not repaired.

    Raises:
        InputError: it is another one, or the findings have changed since.
    """
    repair, drawn = np.array(plan.repair, np.int64), len(plan.audit)
    if plan.look == "once":
        expected = draw_audit(np.setdiff1d(np.arange(plan.samples), repair), drawn, plan.seed)
    else:
        rest = order[len(repair) :]
        weights = sampling_weights(expected_errors(plan.samples, plan.rate, plan.auc))
        uniforms = generator(plan.seed, "audit").random(len(rest))
        expected = rest[weighted_order(uniforms, weights[len(repair) :])][:drawn]
    if not np.array_equal(expected, plan.audit):
        raise InputError(
            f"{PLAN} has another audit than its seed draws: it was changed, or the findings have "
            "been since; put them back, or make a new plan with `plan --again`"
        )


def refuse_swayed(plan: ReviewPlan, table: pa.Table, dataset: Dataset) -> None:
    """Refuse an audit on which people voted who were shown what detectors say.

    Raises:
        InputError: somebody did, who is no expert.
    """
    seen = pc.and_not(pc.equal(table["task"], "relabel"), table["trusted"])
    shown = table.filter(seen)
    audited = np.isin(rows_of(dataset.ids, from_arrow(shown["item"])), plan.audit)
    if audited.any():
        names = sorted(set(from_arrow(shown["rater"])[audited].tolist()))
        raise InputError(
            f"{int(audited.sum()):,} votes on audited samples are of people who were shown what "
            f"detectors say ({', '.join(names)}): certify with --votes and a table without them"
        )
