"""Whether labels are right, by what people said: a rule for the panel, and experts before it."""

from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adc_core import Dataset, Votes
from adc_core.arrays import Array
from adc_plugins_review.aggregation.verdicts import MIN_VOTES, Rule, verdicts
from adc_plugins_review.judging.kinds import kinds_of

NOBODY_KNOWS = -1
"""Instead of a class to give."""

AnyRule = Rule | Literal["trusted"]


class Judgement(NamedTuple):
    """What people decided about each of N labels.

    Attributes:
        verdict: 1 right, -1 wrong, 0 open.
        label: the class to give where the label is wrong, -1 where nobody knows.
        reason: why it is wrong, a text.
    """

    verdict: NDArray[np.int64]
    label: NDArray[np.int64]
    reason: Array


def judge(
    dataset: Dataset, votes: Votes, rule: AnyRule, *, min_votes: int | None, trusted: bool
) -> Judgement:
    """Decide about each label of a dataset.

    Answers yes, unsure and no to the given label are counted by the rule; votes for classes, on
    samples whose label nobody was asked about, by the majority, and a label that is one of several
    with most votes is right.

    Args:
        dataset: whose labels are judged.
        votes: on its samples.
        rule: for the panel; `trusted` leaves everything to experts.
        min_votes: fewer decide nothing; None: 3, of one-then-two 1.
        trusted: an expert's latest answer counts for more than the rule.
    """
    judged = _open(len(dataset))
    if rule != "trusted":
        judged = _over(_checked(dataset, votes, rule, min_votes), judged)
        judged = _over(_named(dataset, votes, min_votes), judged)
    if (trusted or rule == "trusted") and votes.trusted is not None:
        judged = _over(_by_experts(dataset, votes, votes.trusted), judged)
    return judged


def _checked(dataset: Dataset, votes: Votes, rule: Rule, min_votes: int | None) -> Judgement:
    """Count answers to "is this the label?"."""
    N, (checks, names) = len(dataset), kinds_of(votes, dataset.labels)
    if checks.answer is None:
        return _open(N)
    verdict = verdicts(
        checks.item, checks.answer, rule, items=N, order=checks.time, min_votes=min_votes
    )
    number = np.bincount(checks.item, minlength=N)
    doubts = np.bincount(checks.item[checks.answer != 1], minlength=N)
    other = names.take(names.label != dataset.labels[names.item])
    counts = other.counts(N, len(dataset.classes))
    label = np.where(counts.any(axis=1), counts.argmax(axis=1), NOBODY_KNOWS)
    reason = _sentence("judged wrong by ", doubts, " of ", number, f" raters ({rule})")
    return Judgement(verdict, label, reason)


def _named(dataset: Dataset, votes: Votes, min_votes: int | None) -> Judgement:
    """Count votes for classes, on samples whose label was not asked about."""
    N, (checks, names) = len(dataset), kinds_of(votes, dataset.labels)
    counts = names.counts(N, len(dataset.classes))
    number, most, best = counts.sum(axis=1), counts.max(axis=1), counts.argmax(axis=1)
    needed = MIN_VOTES["majority"] if min_votes is None else min_votes
    decided = (number >= needed) & (np.bincount(checks.item, minlength=N) == 0)
    wrong = counts[np.arange(N), dataset.labels] < most
    classes = np.array(dataset.classes, dtype=object)
    reason = _sentence("", most, " of ", number, " raters say ", classes[best], " (majority)")
    return Judgement(np.where(decided, np.where(wrong, -1, 1), 0), best, reason)


def _by_experts(dataset: Dataset, votes: Votes, trusted: NDArray[np.bool_]) -> Judgement:
    """Take each sample's latest answer of a trusted rater."""
    said = votes.take(trusted[votes.rater])
    answer = np.ones(len(said), np.int64) if said.answer is None else said.answer
    given = said.label == dataset.labels[said.item]
    time = np.zeros(len(said)) if said.time is None else said.time
    # Of what was said at the same time, a class that is named says more than a no.
    order = np.lexsort((answer == 1, time, said.item))
    order = order[((answer == 1) | (given & (answer == -1)))[order]]
    N = len(dataset)
    last = np.full(N, NOBODY_KNOWS)
    last[said.item[order]] = order
    known = last >= 0
    vote = last[known]
    names, classes = _rater_names(votes), np.array(dataset.classes, dtype=object)
    right = given[vote] & (answer[vote] == 1)
    label = np.where(answer[vote] == 1, said.label[vote], NOBODY_KNOWS)
    words = np.where(label >= 0, " (trusted) says ", " (trusted) says it is not ")
    text = names[said.rater[vote]] + words.astype(object) + classes[said.label[vote]]
    judged = _open(N)
    judged.verdict[known], judged.label[known] = np.where(right, 1, -1), label
    judged.reason[known] = text
    return judged


def _open(N: int) -> Judgement:
    return Judgement(np.zeros(N, np.int64), np.full(N, NOBODY_KNOWS), np.full(N, "", "O"))


def _over(first: Judgement, second: Judgement) -> Judgement:
    """Take the first judgement where it decides, elsewhere the second."""
    decided = first.verdict != 0
    merged = [np.where(decided, one, other) for one, other in zip(first, second, strict=True)]
    return Judgement(merged[0], merged[1], merged[2])


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
