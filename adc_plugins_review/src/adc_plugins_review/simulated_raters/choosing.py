"""Raters chosen from candidates so that they err, and agree, as much as they should."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SMALL = 12
"""Digits to which costs are compared, so that rounding decides nothing."""


class Choice(NamedTuple):
    """The raters that were chosen.

    Attributes:
        chosen: their numbers, ascending.
        mean_error: of them.
        mean_agreement: of pairs of them; NaN of a single one.
        cost: how far they are from the targets.
    """

    chosen: tuple[int, ...]
    mean_error: float
    mean_agreement: float
    cost: float


def choose_raters(
    errors: ArrayLike,
    agreement: ArrayLike,
    size: int,
    error: float,
    target_agreement: float | None = None,
) -> Choice:
    """Choose raters whose mean error, and mean agreement, are near the targets.

    One after the other, each the best next one; then single exchanges while they help. Ties: the
    lowest number.

    Args:
        errors: C error rates.
        agreement: C × C shares of samples on which two agree.
        size: how many to choose.
        error: mean error that is wanted.
        target_agreement: mean pairwise agreement that is wanted, with half of the weight; or None.
    """
    known, pairs = np.asarray(errors, np.float64), np.asarray(agreement, np.float64)

    def cost(chosen: list[int]) -> float:
        off = abs(float(known[chosen].mean()) - error)
        if target_agreement is not None and len(chosen) > 1:
            off = (off + abs(_mean_pair(pairs, chosen) - target_agreement)) / 2
        return round(off, _SMALL)

    chosen: list[int] = []
    while len(chosen) < size:
        rest = [one for one in range(len(known)) if one not in chosen]
        chosen.append(min(rest, key=lambda one: (cost([*chosen, one]), one)))
    while True:
        swaps = [
            (cost([new if one == out else one for one in chosen]), out, new)
            for out in chosen
            for new in range(len(known))
            if new not in chosen
        ]
        best = min(swaps, default=None)
        if best is None or best[0] >= cost(chosen):
            break
        chosen[chosen.index(best[1])] = best[2]
    chosen.sort()
    return Choice(
        tuple(chosen), float(known[chosen].mean()), _mean_pair(pairs, chosen), cost(chosen)
    )


def _mean_pair(pairs: NDArray[np.float64], chosen: list[int]) -> float:
    part = pairs[np.ix_(chosen, chosen)]
    number = len(chosen) * (len(chosen) - 1)
    return float((part.sum() - np.trace(part)) / number) if number else float("nan")
