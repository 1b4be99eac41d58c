"""The certificate of a review: its plan, its votes and its dataset, checked to belong together."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from importlib_metadata import version
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Dataset, InputError
from adc_core.arrays import hash_file
from adc_core.records import Record, rows_of
from adc_plugins_review.actions.checked_review import (
    refuse_chosen_audit,
    refuse_other_plan,
    refuse_swayed,
    reviewed,
)
from adc_plugins_review.actions.plan_verdicts import PlanVerdicts, plan_verdicts
from adc_plugins_review.actions.population import Population, population
from adc_plugins_review.aggregation.verdicts import Rule, verdicts
from adc_plugins_review.campaign.plan import GOLD, PLAN, REVIEW, VOTES, ReviewPlan, read_plan
from adc_plugins_review.certificate.alpha import FOR_GOLD, Alpha
from adc_plugins_review.certificate.certificate import (
    Bound,
    ClassBound,
    Gold,
    certify,
    certify_any_time,
    class_bounds,
)
from adc_plugins_review.certificate.modelled import modelled_rate
from adc_plugins_review.curators.votes import ApplyVotes
from adc_plugins_review.judging.kinds import kinds_of
from adc_plugins_review.votes.evidence import gold_of, votes_of
from adc_plugins_review.votes.votes_table import latest_votes, read_votes, sorted_votes

_PANEL = {"one-then-two": 3, "1": 1, "3": 3}
"""How many votes on a control question are those of the first panel."""


class Certificate(Record):
    """What is certified of a dataset after a review, and of what it was made.

    Attributes:
        format: of the file.
        of: what it is about: the dataset under review, or the test set that people picked of it.
        created: when, in UTC.
        confidence: with which the bound holds.
        rule: by which votes were counted.
        min_votes: fewer decide nothing.
        reading: what wrong means: not accepted by these people, or truly wrong.
        bound: the figures.
        classes: the same for each class, at its own confidence; at a planned end only.
        modelled: share of wrong labels left by a model of the raters, for information; at a planned
            end only, and None where nobody's answers can be compared.
        people: who voted on the samples of the plan.
        votes: how many votes they gave.
        open: samples of the plan that are not decided.
        dataset: fingerprint of the samples and labels under review.
        left: fingerprint of the ids and labels that are left.
        plan: SHA-256 of the plan.
        plan_created: when it was made.
        votes_sha256: of the table of votes.
        versions: package to version.
    """

    format: Literal[1] = 1
    of: Literal["dataset", "test"] = "dataset"
    created: str
    confidence: float
    rule: str
    min_votes: int | None
    reading: Literal["as judged", "truly wrong"]
    bound: Bound
    classes: tuple[ClassBound, ...] = ()
    modelled: float | None = None
    people: int
    votes: int
    open: int
    dataset: str
    left: str
    plan: str
    plan_created: str
    votes_sha256: str
    versions: dict[str, str] = Field(default_factory=dict)


def certify_review(
    folder: Path,
    *,
    of: Literal["dataset", "test"] = "dataset",
    votes: Path | None = None,
    rule: Rule | None = None,
    confidence: float | None = None,
    now: bool = False,
) -> Certificate:
    """Certify what a review left behind.

    Args:
        folder: the run directory, or whatever folder has the review.
        of: the dataset under review, or the test set that people picked of it.
        votes: a table of votes; by default that of the review.
        rule: how three votes are counted; by default the plan's.
        confidence: by default the plan's.
        now: accept a plan that is not finished; what is open counts as wrong and left.

    Raises:
        InputError: there is no plan or no vote, the dataset or the plan is another one by now,
            the plan is not finished, or nobody was asked about the test set.
        WorkError: a file is damaged.
    """
    plan = read_plan(folder)
    if not plan.audit and of == "dataset":
        raise InputError(f"{folder / REVIEW / PLAN} has no audit: nothing can be certified")
    path = votes or folder / REVIEW / VOTES
    if not path.exists():
        raise InputError(f"{path} is not there: nobody has voted yet")
    refuse_other_plan(plan, folder)
    table = latest_votes(read_votes(path))
    dataset, order = reviewed(plan, folder)
    refuse_chosen_audit(plan, order)
    refuse_swayed(plan, table, dataset)
    judged = plan_verdicts(plan, table, dataset, rule)
    about = population(plan, order, judged, folder, of)
    # Where all are decided nothing is measured, and the word of experts counts for all.
    verdict = (judged.decided if about.is_census else judged.verdict)[about.rows]
    unknown = int((verdict[about.shown] == 0).sum())
    if unknown and plan.look == "once" and not now:
        raise InputError(
            f"{unknown:,} of {len(about.shown):,} samples of the plan are not decided: let people "
            "vote to the end, or say --now, which counts them as wrong"
        )
    control = folder / REVIEW / GOLD
    asked = [gold_of(table), *([read_votes(control)] if control.exists() else [])]
    gold = _gold(plan, latest_votes(sorted_votes(pa.concat_tables(asked))), dataset, judged.rule)
    alpha = _alpha(plan, confidence, gold)
    left = _left(dataset, judged, about, of)
    leaves = dataset.labels[about.rows] != _labels_in(left, dataset)[about.rows]
    bound = _bound(about, verdict, leaves, len(about.rows) - len(left), gold, alpha)
    cast = judged.votes.take(np.isin(judged.votes.item, about.rows[about.shown]))
    labels = dataset.labels[about.rows]
    once = bound.look == "once"
    return Certificate(
        of=of,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        confidence=plan.confidence if confidence is None else confidence,
        rule=judged.rule,
        min_votes=judged.min_votes,
        reading="as judged" if gold is None else "truly wrong",
        bound=bound,
        classes=class_bounds(
            labels, verdict, about.repair, about.audit, dataset.classes, alpha.audit
        )
        if once
        else (),
        modelled=_modelled(dataset, judged, about, leaves) if once else None,
        people=len(np.unique(cast.rater)),
        votes=len(cast),
        open=unknown,
        dataset=plan.dataset,
        left=left.fingerprint_of("ids", "labels"),
        plan=plan.sha256,
        plan_created=plan.created,
        votes_sha256=hash_file(path),
        versions={name: version(name) for name in ("adc-core", "adc-plugins-review", "numpy")},
    )


def _gold(plan: ReviewPlan, table: pa.Table, dataset: Dataset, rule: Rule) -> Gold | None:
    """Count the control questions with a wrong label, and those that the first panel accepts."""
    wrong = [(gold.row, gold.label) for gold in plan.gold if not gold.right]
    if not wrong:
        return None
    answers, _ = votes_of(table, dataset.ids, dataset.classes)
    K = len(dataset.classes)
    asked = np.array([row * K + label for row, label in wrong])
    place = np.full(len(dataset) * K, -1)
    place[asked] = np.arange(len(asked))
    question = place[answers.item * K + answers.label]
    answer = np.ones(len(answers), np.int64) if answers.answer is None else answers.answer
    time = np.zeros(len(answers)) if answers.time is None else answers.time
    order = np.lexsort((time, question))
    order = order[question[order] >= 0]
    question, answer = question[order], answer[order]
    number = np.bincount(question, minlength=len(asked))
    nth = np.arange(len(question)) - (np.cumsum(number) - number)[question]
    panel = nth < _PANEL[plan.votes]
    needed = 1 if plan.votes == "1" else None
    found = verdicts(
        question[panel], answer[panel], rule, items=len(asked), order=nth[panel], min_votes=needed
    )
    shown = int((found != 0).sum())
    return Gold(shown, int((found > 0).sum())) if shown else None


def _alpha(plan: ReviewPlan, confidence: float | None, gold: Gold | None) -> Alpha:
    if confidence is None:
        return plan.alpha
    error = 1 - confidence - (0 if gold is None else 2 * FOR_GOLD)
    if not 0 < error < 1:
        raise InputError(f"--confidence {confidence}: nothing is left for the audit: lower it")
    return Alpha(audit=error)


def _bound(
    about: Population,
    verdict: NDArray[np.int64],
    leaves: NDArray[np.bool_],
    dropped: int,
    gold: Gold | None,
    alpha: Alpha,
) -> Bound:
    outside = np.ones(len(about.rows), np.bool_)
    outside[about.repair] = False
    removed = int(((verdict < 0) & leaves & outside).sum())
    if about.weights is None or about.expected is None:
        return certify(
            verdict[about.repair],
            verdict[about.audit],
            population=len(about.rows),
            dropped=dropped,
            removed=removed,
            gold=gold,
            alpha=alpha,
        )
    rest = np.flatnonzero(outside)
    return certify_any_time(
        verdict[about.repair],
        verdict[about.audit],
        weights=about.weights[rest],
        expected=about.expected[rest],
        places=np.searchsorted(rest, about.audit),
        population=len(about.rows),
        dropped=dropped,
        removed=removed,
        gold=gold,
        alpha=alpha,
    )


def _labels_in(left: Dataset, dataset: Dataset) -> NDArray[np.int64]:
    """Return the N labels that samples of a dataset have in what is left; -1 where they are not."""
    rows = rows_of(left.ids, dataset.ids)
    return np.where(rows >= 0, left.labels[rows], -1)


def _modelled(
    dataset: Dataset, judged: PlanVerdicts, about: Population, leaves: NDArray[np.bool_]
) -> float | None:
    """Estimate the share of wrong labels that are left by a model of the raters."""
    checks = kinds_of(judged.votes, dataset.labels).checks
    place = np.full(len(dataset), -1)
    place[about.rows] = np.arange(len(about.rows))
    checks = checks.take(place[checks.item] >= 0)
    if checks.answer is None:
        return None
    return modelled_rate(
        place[checks.item], checks.rater, checks.answer, about.repair, about.audit, leaves
    )


def _left(
    dataset: Dataset, judged: PlanVerdicts, about: Population, of: Literal["dataset", "test"]
) -> Dataset:
    """Return the test set, or what the curator of votes leaves of the dataset."""
    if of == "test":
        kept = about.rows[judged.decided[about.rows] >= 0]
        if not len(kept):
            raise InputError("every picked sample is rejected: there is no test set to certify")
        return dataset.take(kept)
    curator = ApplyVotes(rule=judged.rule, min_votes=judged.min_votes)
    return curator.curate(dataset.replace(votes=judged.votes), ()).dataset
