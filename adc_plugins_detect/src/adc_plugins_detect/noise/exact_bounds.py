"""Exact confidence bounds for how many of a finite number of labels are wrong.

A random sample of a group gives, for every level, a bound on the group's wrong labels that holds
for any truth (the hypergeometric form of Clopper and Pearson 1934). All levels together are a
confidence distribution. Bounds for sums and ratios over groups come from combining these
distributions as if they were independent random numbers: melded confidence intervals (Fay, Proschan
and Brittain, Biometrics 71, 2015), which for sums of rates is the method of Fay and Feuer
(Statistics in Medicine 16, 1997). No case is known where they cover less than stated;
`benchmarks/audits.py` looks for one.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from adc_core.arrays import chunks

LEVELS = 400
"""Equally likely slices of a confidence distribution; each counts with its outer end."""

_GRID = 2000


class Counts(NamedTuple):
    """What is known of one group of labels.

    Attributes:
        size: labels in the group.
        judged: of these, looked at: a simple random sample, or one in proportional strata.
        fewest: judged labels that are wrong, if every doubtful one is right.
        most: the same, if every doubtful one is wrong.
    """

    size: int
    judged: int
    fewest: int
    most: int


def exact_upper(size: int, judged: int, wrong: int, alpha: float) -> int:
    """Bound the number of wrong labels in a group from above.

    Args:
        size: labels in the group.
        judged: of these, drawn at random.
        wrong: of these, wrong.
        alpha: probability that the bound is too low, at most.

    Returns:
        The largest number K with P(Hypergeometric(size, K, judged) ≤ wrong) > alpha.
    """
    low, high = wrong, size - judged + wrong
    while low < high:
        middle = (low + high + 1) // 2
        if _at_most(size, np.array([middle]), judged, wrong)[0] > alpha:
            low = middle
        else:
            high = middle - 1
    return low


def upper_points(group: Counts) -> NDArray[np.float64]:
    """Give the `LEVELS` slices of the upper confidence distribution of a group's wrong labels.

    Returns:
        Rising numbers of labels: the i-th is the bound of level (i + 1) / LEVELS.
    """
    return _points(group.size, group.judged, group.most)


def lower_points(group: Counts) -> NDArray[np.float64]:
    """Give the same from below: the i-th, rising, is the bound of level 1 - i / LEVELS."""
    right = _points(group.size, group.judged, group.judged - group.fewest)
    return group.size - right[::-1]


def summed(parts: Sequence[NDArray[np.float64]], *, upper: bool) -> NDArray[np.float64]:
    """Give the slices of the sum of groups, each counted with its outer end again."""
    total = parts[0]
    for part in parts[1:]:
        every = np.sort((total[:, None] + part).ravel())
        total = every.reshape(LEVELS, -1)[:, -1 if upper else 0]
    return total


def quantile(points: NDArray[np.float64], level: float, *, upper: bool) -> float:
    """Take the bound of a level from equally likely points, on the safe side."""
    n = points.size
    place = int(np.ceil(level * n - 1e-9)) - 1 if upper else int(np.floor(level * n + 1e-9))
    place = min(max(place, 0), n - 1)
    return float(np.partition(points.ravel(), place)[place])


@lru_cache(maxsize=4096)
def _points(size: int, judged: int, wrong: int) -> NDArray[np.float64]:
    first = exact_upper(size, judged, wrong, 1 - 1 / LEVELS)
    last = exact_upper(size, judged, wrong, 1 / LEVELS)
    # The last slice has no bound of its own but the largest number that the sample allows.
    most = size - judged + wrong
    grid = np.unique(np.append(np.linspace(first, last, _GRID).round().astype(np.int64), most))
    after = np.minimum(grid + 1, most)
    reached = np.empty(len(grid))
    for part in chunks(len(grid), 64 * (wrong + 1)):
        reached[part] = 1 - _at_most(size, after[part], judged, wrong)
    reached[-1] = 1.0
    levels = np.arange(1, LEVELS + 1) / LEVELS
    points = grid[np.searchsorted(reached, levels - 1e-9)].astype(np.float64)
    points.flags.writeable = False
    return points


def _at_most(
    size: int, wrong_in_all: NDArray[np.int64], judged: int, wrong: int
) -> NDArray[np.float64]:
    """Give P(Hypergeometric(size, K, judged) ≤ wrong) for every K."""
    if judged == wrong:
        return np.ones(len(wrong_in_all))
    K = wrong_in_all.astype(np.float64)[:, None]
    j = np.arange(wrong + 1, dtype=np.float64)[None, :]
    possible = (j <= K) & (judged - j <= size - K)
    j_in, rest = np.where(possible, j, 0), np.where(possible, judged - j, 0)
    log = (
        gammaln(K + 1)
        - gammaln(j_in + 1)
        - gammaln(K - j_in + 1)
        + gammaln(size - K + 1)
        - gammaln(rest + 1)
        - gammaln(size - K - rest + 1)
        - (gammaln(size + 1) - gammaln(judged + 1) - gammaln(size - judged + 1))
    )
    total: NDArray[np.float64] = np.where(possible, np.exp(log), 0).sum(axis=1)
    return np.minimum(total, 1.0)
