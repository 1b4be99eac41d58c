"""The curator of votes: what people judged wrong is dropped or relabelled."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from adc_core import Curation, Curator, Dataset, Findings, InputError, Votes
from adc_plugins_review.aggregation.verdicts import Rule, verdicts
from adc_plugins_review.judging.judgement import AnyRule, judge
from adc_plugins_review.judging.kinds import kinds_of


class ApplyVotes(Curator):
    """Drops or relabels samples whose label people judge wrong; samples without votes stay.

    Answers yes, unsure and no to the given label are counted by a rule; votes for classes by the
    majority, and a label that is one of several with most votes stays. A trusted rater's latest
    answer counts for more than all of these. What was selected for a test set leaves the training
    set. Near duplicates are dropped as long as what an expert keeps in their place does not turn
    out to be wrong.
    """

    requires: ClassVar[tuple[str, ...]] = ("votes",)

    rule: AnyRule = Field(
        default="majority",
        description="which answers accept a label: more than half yes; besides, no no; all yes; "
        "a first yes, or two of three; or only what trusted raters say counts",
    )
    min_votes: int | None = Field(
        default=None,
        ge=1,
        description="fewer votes decide nothing; by default 3, of one-then-two 1",
    )
    wrong: Literal["drop", "relabel"] = Field(
        default="drop",
        description="drop what is wrong, or relabel it where a class is named, else drop",
    )
    trusted: bool = Field(
        default=True, description="a trusted rater's latest answer counts for more than the rule"
    )
    select: Literal["hold-out", "keep"] = Field(
        default="hold-out",
        description="drop samples that were selected for a test set, or keep them",
    )

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Carry out what people decided.

        Raises:
            InputError: the dataset has no votes, or every sample would be dropped.
        """
        votes = dataset.votes
        if votes is None:
            raise InputError("the dataset has no votes: add the enricher votes")
        judged = judge(dataset, votes, self.rule, min_votes=self.min_votes, trusted=self.trusted)
        wrong, label, reason = judged.verdict < 0, judged.label, judged.reason
        relabel = wrong & (label >= 0) if self.wrong == "relabel" else np.zeros_like(wrong)
        leaves = np.zeros_like(wrong)
        if votes.duplicates is not None:
            row, kept = votes.duplicates[~(wrong & ~relabel)[votes.duplicates[:, 1]]].T
            leaves[row] = True
            said = [f"near-duplicate of {one}" for one in dataset.ids[kept].tolist()]
            reason[row] = np.where(wrong[row], reason[row], said)
        if self.select == "hold-out" and votes.selected is not None:
            held = votes.selected[~(wrong | leaves)[votes.selected]]
            reason[held] = "in the test set"
            leaves[votes.selected] = True
        relabel &= ~leaves
        wrong = wrong | leaves
        drop = np.flatnonzero(wrong & ~relabel)
        rows = np.flatnonzero(wrong)
        return Curation.of(
            dataset,
            drop=drop,
            relabel=np.flatnonzero(relabel),
            labels=label[relabel],
            reasons=pa.array(reason[rows].tolist(), pa.string()),
            notes=_table_7(dataset, votes),
        )


def _table_7(dataset: Dataset, votes: Votes) -> tuple[str, ...]:
    """Say how many labels each rule finds wrong, of those with three answers (ADC, table 7)."""
    checks = kinds_of(votes, dataset.labels).checks
    if checks.answer is None or not len(checks):
        return ()
    rules: tuple[Rule, ...] = ("majority", "no-objection", "unanimous")
    found = [verdicts(checks.item, checks.answer, rule, items=len(dataset)) for rule in rules]
    judged = int((found[0] != 0).sum())
    if not judged:
        return ()
    shares = ", ".join(
        f"{(one == -1).sum() / judged:.2%} by {rule}"
        for rule, one in zip(rules, found, strict=True)
    )
    return (f"of {judged:,} labels with three answers or more wrong: {shares}",)
