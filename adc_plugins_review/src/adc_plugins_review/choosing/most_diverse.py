"""Samples that show every value of several columns about as often."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError

_DECIMALS = 5
"""Entropies that differ less count as equal, as in the method's official code."""

_MOST = 100_000
"""Rows that are looked at in a step; of more, so many are drawn."""


def most_diverse(
    columns: Sequence[ArrayLike],
    budget: int,
    *,
    rule: Literal["nearest", "sum"] = "nearest",
    seed: int = 0,
) -> NDArray[np.int64]:
    """Choose samples one by one, so that the values of each column come equally often.

    Each step adds the row that brings the entropies of the chosen rows' columns nearest to those of
    columns whose values are all equally frequent. The greedy selection of the GME sampler (Idiap).

    Traps: it is no random sample, so error rates on it are not those of the dataset. Values that
    occur once are chosen early. Of equal rows the first is taken: shuffle them before.

    Args:
        columns: of N values each: classes, attributes, engines.
        budget: rows to choose.
        rule: nearest to the even entropies (Euclid), or the largest sum of entropies.
        seed: of the rows that are looked at in a step, where there are over 100,000.

    Returns:
        At most `budget` rows, in the order of their choice.

    Raises:
        InputError: no columns, or of different lengths, or a negative budget.
    """
    if not columns or len({len(np.asarray(column)) for column in columns}) > 1:
        raise InputError("columns: expected at least one, all of as many values")
    if budget < 0:
        raise InputError("budget: expected a whole number from 0")
    coded = [np.unique(np.asarray(column), return_inverse=True) for column in columns]
    codes = [code.reshape(-1) for _, code in coded]
    counts = [np.zeros(len(values)) for values, _ in coded]
    even = np.log([len(values) for values, _ in coded])
    rng = np.random.default_rng(seed)
    left = np.arange(len(codes[0]))
    chosen: list[int] = []
    for _ in range(min(budget, len(left))):
        rows = left if len(left) <= _MOST else np.sort(rng.choice(left, _MOST, replace=False))
        after = np.stack(
            [_entropies(count)[code[rows]] for count, code in zip(counts, codes, strict=True)]
        )
        if rule == "sum":
            place = int(after.sum(axis=0).round(_DECIMALS).argmax())
        else:
            place = int(((even[:, None] - after) ** 2).sum(axis=0).argmin())
        row = int(rows[place])
        chosen.append(row)
        left = left[left != row]
        for count, code in zip(counts, codes, strict=True):
            count[code[row]] += 1
    return np.array(chosen, np.int64)


def _entropies(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the entropy of V counts after one more of each value: V numbers, rounded."""
    total = counts.sum() + 1
    terms = np.where(counts > 0, counts * np.log(counts.clip(1)), 0)
    more = (counts + 1) * np.log(counts + 1)
    return np.asarray((np.log(total) - (terms.sum() - terms + more) / total).round(_DECIMALS))
