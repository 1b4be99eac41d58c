"""A bound of wrong labels that holds whenever one looks, by betting on what will be found.

Sampling without replacement, with unequal weights, as in Shekhar, Xu, Lipton, Liang and Ramdas
(UAI 2023); the bets as in Waudby-Smith and Ramdas (JRSS B 2024). Each number of wrong labels
that is not the true one is bet against; what has been won grows beyond 1 / alpha for the true one
with a probability of at most alpha, at any time (Ville's inequality).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_plugins_review.certificate.bounds import largest

BETS = np.linspace(0.02, 0.98, 25)
"""Shares of what may be lost at most; the wealth is the mean over them."""

_BLOCK = 16
"""So many gains are multiplied before a logarithm is taken: their product cannot overflow."""


class BettingTest:
    """The bets on each number of wrong labels, for verdicts that came in a random order.

    Args:
        wrong: t verdicts, of the first t samples of the order: 1 judged wrong, 0 right.
        order: M rows, drawn one after the other with these weights.
        weights: M sampling weights, above 0.
        expected: M chances that a sample is judged wrong, as was believed before.
    """

    def __init__(
        self, wrong: ArrayLike, order: ArrayLike, weights: ArrayLike, expected: ArrayLike
    ) -> None:
        found = np.asarray(wrong, np.float64)
        weights, expected = np.asarray(weights, np.float64), np.asarray(expected, np.float64)
        rows = np.asarray(order)[: len(found)]
        left_weight = weights.sum() - _before(weights[rows])
        left_expected = expected.sum() - _before(expected[rows])
        self.population = len(weights)
        self.found = np.cumsum(found)
        self._before = _before(found)
        self._drawn = (found - expected[rows]) * left_weight / weights[rows] + left_expected
        self._most = left_weight * ((1 - expected) / weights).max() + left_expected

    def log_wealth(self, wrong: int, looks: int) -> float:
        """Return the log of what betting against `wrong` in all has won after so many looks."""
        left = wrong - self._before[:looks]
        stake = (left - self._drawn[:looks]) / np.maximum(self._most[:looks] - left, 1e-9)
        gains, blocks = 1 + np.outer(BETS, stake), np.arange(0, looks, _BLOCK)
        won = np.log(np.multiply.reduceat(gains, blocks, axis=1)).sum(axis=1)
        most = float(won.max())
        return most + math.log(float(np.exp(won - most).mean()))

    def upper(self, looks: int, alpha: float, at_most: int | None = None) -> int:
        """Bound the wrong ones in the population after so many looks, those found included."""
        if not looks:
            return self.population
        found = int(self.found[looks - 1])
        high = self.population - (looks - found)
        high = max(found, high if at_most is None else min(high, at_most))
        limit = math.log(1 / alpha)
        return largest(found, high, lambda wrong: self.log_wealth(wrong, looks) < limit)


def any_time_upper(
    wrong: ArrayLike,
    order: ArrayLike,
    weights: ArrayLike,
    expected: ArrayLike,
    alpha: float = 0.05,
) -> NDArray[np.int64]:
    """Bound the wrong labels of a population after each look at a sample.

    With a probability of at least 1 - alpha every one of the bounds holds.

    Args:
        wrong: t verdicts, of the first t samples of the order: 1 judged wrong, 0 right.
        order: M rows in the order in which they were drawn; see `weighted_order`.
        weights: M sampling weights.
        expected: M chances of being judged wrong, as believed before; any are valid.
        alpha: chance of error.

    Returns:
        t bounds of the number of wrong ones, those found included; none is above an earlier one.
    """
    test = BettingTest(wrong, order, weights, expected)
    bounds = np.empty(len(test.found), np.int64)
    least: int | None = None
    for looks in range(1, len(bounds) + 1):
        least = test.upper(looks, alpha, least)
        bounds[looks - 1] = least
    return bounds


def _before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up what was there before each step."""
    return np.concatenate([[0.0], np.cumsum(values)[:-1]]) if len(values) else values
