"""Exact upper bounds of numbers of wrong labels, from those that people looked at."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln


def exact_upper(population: int, drawn: int, found: int, alpha: float = 0.05) -> int:
    """Bound the wrong ones in a population of which some were drawn at random, without replacement.

    The largest number of which so few would still be found with a probability above `alpha`
    (hypergeometric). The true number is larger with a probability of at most `alpha`.

    Args:
        population: how many there are.
        drawn: how many were drawn, a number that was fixed before.
        found: how many of them are wrong.
        alpha: chance of error.
    """
    return largest(
        found,
        population - (drawn - found),
        lambda wrong: _at_most(found, population, wrong, drawn) > alpha,
    )


def _at_most(found: int, population: int, wrong: int, drawn: int) -> float:
    """Return P(X <= found) of X wrong ones among those drawn."""
    x = np.arange(max(0, drawn - (population - wrong)), min(found, wrong) + 1)
    if not len(x):
        return 0.0
    ways = _log_choose(wrong, x) + _log_choose(population - wrong, drawn - x)
    return float(np.exp(ways - _log_choose(population, drawn)).sum())


def _log_choose(n: int, k: NDArray[np.int64] | int) -> NDArray[np.float64]:
    ways: NDArray[np.float64] = (
        gammaln(n + 1.0) - gammaln(np.add(k, 1.0)) - gammaln(np.subtract(n, k) + 1.0)
    )
    return ways


def miss_rate_upper(shown: int, missed: int, alpha: float = 0.005) -> float:
    """Bound the share of wrong labels that people let pass (Clopper and Pearson 1934).

    Args:
        shown: control questions whose label is wrong.
        missed: those of them that were accepted.
        alpha: chance of error.
    """
    if missed >= shown:
        return 1.0
    return float(stats.beta.ppf(1 - alpha, missed + 1, shown - missed))


def undo_misses(judged_wrong: int, population: int, miss: float, alpha: float = 0.005) -> int:
    """Bound the wrong labels of which at most so many would be judged wrong.

    The largest number of wrong labels of which no more are noticed with a probability above
    `alpha`, where each is noticed with `1 - miss`, independently of the others.
    """
    if miss == 0:
        return judged_wrong
    return largest(
        judged_wrong,
        population,
        lambda wrong: float(stats.binom.cdf(judged_wrong, wrong, 1 - miss)) > alpha,
    )


def largest(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Find the largest number from `low` to `high` for which something holds, by bisection.

    Args:
        low: a number for which it holds.
        high: the last one that comes into question.
        holds: true up to some number, false from there on.
    """
    if high <= low or holds(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
