"""What several people's yes, unsure and no say of a label: right, wrong, or not decided."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError
from adc_plugins_review.aggregation.dawid_skene import DawidSkeneResult, dawid_skene

Rule = Literal["majority", "no-objection", "unanimous", "one-then-two"]

MIN_VOTES: dict[str, int] = {
    "majority": 3,
    "no-objection": 3,
    "unanimous": 3,
    "one-then-two": 1,
}
"""Below so many votes a label is not decided."""


def verdicts(
    item: ArrayLike,
    answer: ArrayLike,
    rule: Rule,
    *,
    items: int | None = None,
    order: ArrayLike | None = None,
    min_votes: int | None = None,
) -> NDArray[np.int64]:
    """Decide labels by what raters answered to "is this the label?".

    A label is right if more than half of the votes are yes (`majority`), and none is no
    (`no-objection`), or all are yes (`unanimous`). `one-then-two`: a first yes accepts; otherwise
    two more votes are wanted, two doubts decide against it, and two of three yes for it.

    Args:
        item: V row numbers of the items.
        answer: V answers: 1 yes, 0 unsure, -1 no.
        rule: how they are counted.
        items: N, how many items there are; by default up to the last one that has a vote.
        order: V numbers; votes of an item count in their ascending order, ties as they stand.
        min_votes: below so many an item is open; by default 3, of one-then-two 1.

    Returns:
        N int64: 1 right, -1 wrong, 0 open.

    Raises:
        InputError: an unknown rule, other lengths, or an answer that is none.
    """
    if rule not in get_args(Rule):
        raise InputError(f"rule {rule!r}: expected {', '.join(get_args(Rule))}")
    rows, said = np.asarray(item, np.int64), np.asarray(answer, np.int64)
    if rows.shape != said.shape or rows.ndim != 1:
        raise InputError(f"{rows.shape} items but {said.shape} answers: give one each per vote")
    if (strange := np.abs(said) > 1).any():
        raise InputError(f"answer: row {int(strange.argmax())}: expected 1, 0 or -1")
    N = (int(rows.max()) + 1 if len(rows) else 0) if items is None else items
    needed = MIN_VOTES[rule] if min_votes is None else min_votes
    number = np.bincount(rows, minlength=N)
    if rule == "one-then-two":
        decided = _one_then_two(rows, said, order, N)
    else:
        yes = np.bincount(rows[said == 1], minlength=N)
        no = np.bincount(rows[said == -1], minlength=N)
        accepted = yes == number if rule == "unanimous" else 2 * yes > number
        if rule == "no-objection":
            accepted &= no == 0
        decided = np.where(accepted, 1, -1)
    return np.where((number >= needed) & (number > 0), decided, 0)


def _one_then_two(
    rows: NDArray[np.int64], said: NDArray[np.int64], order: ArrayLike | None, N: int
) -> NDArray[np.int64]:
    when = np.zeros(len(rows)) if order is None else np.asarray(order)
    by_item = np.lexsort((when, rows))
    rows, said = rows[by_item], said[by_item]
    number = np.bincount(rows, minlength=N)
    begin = np.cumsum(number) - number
    place = np.arange(len(rows)) - begin[rows]
    first_yes = np.zeros(N, np.bool_)
    first_yes[rows[(place == 0) & (said == 1)]] = True
    counted = place < 3
    yes = np.bincount(rows[counted & (said == 1)], minlength=N)
    doubts = np.bincount(rows[counted & (said != 1)], minlength=N)
    return np.where(first_yes | (yes >= 2), 1, np.where(doubts >= 2, -1, 0))


def verification(
    item: ArrayLike, rater: ArrayLike, answer: ArrayLike, *, items: int, raters: int
) -> DawidSkeneResult:
    """Estimate from yes, unsure and no how probably each label is right (Dawid and Skene 1979).

    Args:
        item: V row numbers of the items.
        rater: V numbers of the raters.
        answer: V answers: 1 yes, 0 unsure, -1 no.
        items: N, how many items there are.
        raters: R, how many raters.

    Returns:
        Two classes, right and wrong, and three answers: yes, unsure, no.

    Raises:
        InputError: arrays of other lengths, or each item has one vote.
    """
    rows, coded = np.asarray(item, np.int64), 1 - np.asarray(answer, np.int64)
    number = np.bincount(rows, minlength=items)
    accepted = np.bincount(rows, np.array([1.0, 0.5, 0.0])[coded], minlength=items)
    right = accepted / np.maximum(number, 1)
    start = np.stack([right, 1 - right], axis=1)
    found = dawid_skene(
        rows, rater, coded, items=items, raters=raters, classes=2, answers=3, start=start
    )
    yes = found.confusion[:, :, 0].mean(axis=0)
    if yes[0] >= yes[1]:
        return found
    return found._replace(
        posterior=found.posterior[:, ::-1],
        prior=found.prior[::-1],
        confusion=found.confusion[:, ::-1],
    )
