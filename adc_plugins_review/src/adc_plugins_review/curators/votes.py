"""The curator of votes: what people judged wrong is dropped or relabelled."""

from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Curation, Curator, Dataset, Findings, InputError, Votes
from adc_core.arrays import Array
from adc_plugins_review.aggregation.verdicts import MIN_VOTES, Rule, verdicts
from adc_plugins_review.votes.kinds import kinds_of

_NONE = -1


class _Judgement(NamedTuple):
    """What is to be done with each of N samples.

    Attributes:
        wrong: the given label is judged wrong.
        label: the class to give instead, -1 where nobody knows.
        reason: a text, where something is to be done.
    """

    wrong: NDArray[np.bool_]
    label: NDArray[np.int64]
    reason: Array


class ApplyVotes(Curator):
    """Drops or relabels samples whose label people judge wrong; samples without votes stay.

    Answers yes, unsure and no to the given label are counted by a rule; votes for classes by the
    majority, and a label that is one of several with most votes stays. A trusted rater's latest
    answer counts for more than all of these. What was selected for a test set leaves the training
    set.
    """

    requires: ClassVar[tuple[str, ...]] = ("votes",)

    rule: Literal["majority", "no-objection", "unanimous", "one-then-two", "trusted"] = Field(
        "majority",
        description="which answers accept a label: more than half yes; besides, no no; all yes; "
        "a first yes, or two of three; or only what trusted raters say counts",
    )
    min_votes: int | None = Field(
        None, ge=1, description="fewer votes decide nothing; by default 3, of one-then-two 1"
    )
    wrong: Literal["drop", "relabel"] = Field(
        "drop", description="drop what is wrong, or relabel it where a class is named, else drop"
    )
    trusted: bool = Field(
        True, description="a trusted rater's latest answer counts for more than the rule"
    )
    select: Literal["hold-out", "keep"] = Field(
        "hold-out", description="drop samples that were selected for a test set, or keep them"
    )

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Carry out what people decided.

        Raises:
            InputError: the dataset has no votes, or every sample would be dropped.
        """
        votes = dataset.votes
        if votes is None:
            raise InputError("the dataset has no votes: add the enricher votes")
        wrong = np.zeros(len(dataset), np.bool_)
        judged = _Judgement(wrong, np.full(len(dataset), _NONE), np.full(len(dataset), "", "O"))
        if self.rule != "trusted":
            judged = _later(judged, *self._checked(dataset, votes, self.rule))
            judged = _later(judged, *self._named(dataset, votes))
        if (self.trusted or self.rule == "trusted") and votes.trusted is not None:
            judged = _later(judged, *_trusted(dataset, votes, votes.trusted))
        wrong, label, reason = judged
        relabel = wrong & (label >= 0) if self.wrong == "relabel" else np.zeros_like(wrong)
        held = dataset.columns.get("selected") if self.select == "hold-out" else None
        if held is not None:
            held = held.astype(np.bool_)
            reason = np.where(held & ~wrong, "in the test set", reason)
            relabel &= ~held
            wrong = wrong | held
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

    def _checked(
        self, dataset: Dataset, votes: Votes, rule: Rule
    ) -> tuple[NDArray[np.bool_], _Judgement]:
        """Count answers to "is this the label?"."""
        N, (checks, names) = len(dataset), kinds_of(votes, dataset.labels)
        if checks.answer is None:
            return _nothing(dataset)
        verdict = verdicts(
            checks.item,
            checks.answer,
            rule,
            items=N,
            order=checks.time,
            min_votes=self.min_votes,
        )
        number = np.bincount(checks.item, minlength=N)
        doubts = np.bincount(checks.item[checks.answer != 1], minlength=N)
        other = names.take(names.label != dataset.labels[names.item])
        counts = other.counts(N, len(dataset.classes))
        label = np.where(counts.any(axis=1), counts.argmax(axis=1), _NONE)
        reason = _sentence("judged wrong by ", doubts, " of ", number, f" raters ({rule})")
        return verdict != 0, _Judgement(verdict == -1, label, reason)

    def _named(self, dataset: Dataset, votes: Votes) -> tuple[NDArray[np.bool_], _Judgement]:
        """Count votes for classes, on samples whose label was not asked about."""
        N, (checks, names) = len(dataset), kinds_of(votes, dataset.labels)
        asked = np.bincount(checks.item, minlength=N) > 0
        counts = names.counts(N, len(dataset.classes))
        number, most = counts.sum(axis=1), counts.max(axis=1)
        best = counts.argmax(axis=1)
        needed = MIN_VOTES["majority"] if self.min_votes is None else self.min_votes
        wrong = counts[np.arange(N), dataset.labels] < most
        classes = np.array(dataset.classes, dtype=object)
        reason = _sentence("", most, " of ", number, " raters say ", classes[best], " (majority)")
        return ~asked & (number >= needed), _Judgement(wrong, best, reason)


def _trusted(
    dataset: Dataset, votes: Votes, trusted: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], _Judgement]:
    """Take each sample's latest answer of a trusted rater."""
    said = votes.take(trusted[votes.rater])
    answer = np.ones(len(said), np.int64) if said.answer is None else said.answer
    given = said.label == dataset.labels[said.item]
    time = np.zeros(len(said)) if said.time is None else said.time
    # Of what was said at the same time, a class that is named says more than a no.
    order = np.lexsort((answer == 1, time, said.item))
    order = order[((answer == 1) | (given & (answer == -1)))[order]]
    N = len(dataset)
    last = np.full(N, _NONE)
    last[said.item[order]] = order
    known = last >= 0
    vote = last[known]
    names, classes = _rater_names(votes), np.array(dataset.classes, dtype=object)
    right = given[vote] & (answer[vote] == 1)
    label = np.where(answer[vote] == 1, said.label[vote], _NONE)
    words = np.where(label >= 0, " (trusted) says ", " (trusted) says it is not ")
    text = names[said.rater[vote]] + words.astype(object) + classes[said.label[vote]]
    judged = _nothing(dataset)[1]
    judged.wrong[known], judged.label[known], judged.reason[known] = ~right, label, text
    return known, judged


def _nothing(dataset: Dataset) -> tuple[NDArray[np.bool_], _Judgement]:
    N = len(dataset)
    none = np.zeros(N, np.bool_)
    return none, _Judgement(none.copy(), np.full(N, _NONE), np.full(N, "", "O"))


def _later(before: _Judgement, where: NDArray[np.bool_], then: _Judgement) -> _Judgement:
    """Replace a judgement where a later one decides."""
    merged = [np.where(where, new, old) for old, new in zip(before, then, strict=True)]
    return _Judgement(merged[0], merged[1], merged[2])


def _sentence(*parts: "str | Array") -> Array:
    """Join texts and columns of numbers or texts, row by row."""
    columns = [
        pa.scalar(part) if isinstance(part, str) else pa.array(part.tolist()).cast(pa.string())
        for part in parts
    ]
    return np.asarray(pc.binary_join_element_wise(*columns, ""), dtype=object)


def _rater_names(votes: Votes) -> Array:
    names = votes.names or tuple(f"rater {number}" for number in range(votes.raters))
    return np.array(names, dtype=object)


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
