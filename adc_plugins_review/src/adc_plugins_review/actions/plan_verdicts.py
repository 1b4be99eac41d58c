"""What people decided about the labels under review, by the rule of the plan."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from adc_core import Dataset, InputError, Votes
from adc_plugins_review.aggregation.verdicts import Rule
from adc_plugins_review.campaign.plan import ReviewPlan
from adc_plugins_review.judging.judgement import judge
from adc_plugins_review.votes.evidence import blind, selected_rows, votes_of, without_gold


class PlanVerdicts(NamedTuple):
    """What certificate, curator and test set have in common.

    Attributes:
        votes: on labels of the dataset, without control questions.
        rule: by which they are counted.
        min_votes: fewer decide nothing.
        verdict: N of the panel, for what measures: 1 right, -1 wrong, 0 open. On the suspects
            experts decide, who saw what detectors say.
        decided: N, with the word of experts everywhere: what is carried out.
        selected: N booleans: somebody picked the sample for the test set, and no expert dropped it
            as a duplicate.
    """

    votes: Votes
    rule: Rule
    min_votes: int | None
    verdict: NDArray[np.int64]
    decided: NDArray[np.int64]
    selected: NDArray[np.bool_]


def plan_verdicts(
    plan: ReviewPlan, table: pa.Table, dataset: Dataset, rule: Rule | None = None
) -> PlanVerdicts:
    """Count votes as the plan says; experts count for more.

    Args:
        plan: of the review.
        table: of votes, as `read_votes` returns it.
        dataset: the samples under review.
        rule: how three votes are counted; by default by the majority.

    Raises:
        InputError: the rule needs more votes than the plan asks for, or there is no such class.
    """
    given, panel = (_answers(one, dataset) for one in (table, blind(table)))
    counted, min_votes = _rule_of(plan, rule)
    decided, verdict = (
        judge(dataset, one, counted, min_votes=min_votes, trusted=True).verdict
        for one in (given, panel)
    )
    repair = np.array(plan.repair, np.int64)
    verdict[repair] = decided[repair]
    selected = selected_rows(table, dataset.ids)
    if given.duplicates is not None:
        selected[given.duplicates[:, 0]] = False
    return PlanVerdicts(given, counted, min_votes, verdict, decided, selected)


def _answers(table: pa.Table, dataset: Dataset) -> Votes:
    votes, _ = votes_of(without_gold(table), dataset.ids, dataset.classes)
    if votes.answer is None:  # everybody said yes: to the question, which is no vote for a class
        votes = votes.replace(answer=np.ones(len(votes), np.int64))
    return votes


def _rule_of(plan: ReviewPlan, rule: Rule | None) -> tuple[Rule, int | None]:
    """Return by which rule, and from how many votes on, the plan's votes are counted."""
    if plan.votes == "3":
        return rule or "majority", None
    if rule is not None and rule != plan.votes:
        raise InputError(
            f"--rule {rule} needs three votes a sample, but the plan asks for {plan.votes}: leave "
            "it out, or make a plan with --votes 3"
        )
    return ("one-then-two", None) if plan.votes == "one-then-two" else ("unanimous", 1)
