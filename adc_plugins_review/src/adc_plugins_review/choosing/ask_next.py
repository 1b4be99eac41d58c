"""Whom to ask about where some answers will be worth nothing: chances that are best at worst."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError

_HALVINGS = 60


def ask_next(
    gains: ArrayLike, *, wrong: int, budget: float, cost: float = 0
) -> NDArray[np.float64]:
    """Compute with what chance to ask about each sample, if an adversary spoils some answers.

    Maximizes Σ qᵢ·gᵢ − (1 + cost)·(sum of the `wrong` largest qᵢ·gᵢ) over chances q with Σ q ≤
    budget, exactly. Among those that are asked at all the less informative ones are asked more
    often: no answer is worth more than a level, so that spoiling any of them hurts no more.
    The game is that of Baykal et al., "Robust active distillation", ICLR 2023.

    It is best at worst, not on average: where errors are not placed against you, asking about the
    largest gains mends more (CIFAR-10N: 897 of 2,000, and 512 by these chances), with fewer right
    answers (.84 to .89).

    Args:
        gains: N numbers of 0 … 1, what a right answer is worth: a suspicion, or one minus the
            margin of a student's two most probable classes. A sample of gain 0 is never asked.
        wrong: answers that are spoiled: the answerer's error rate on trusted samples times N.
        budget: answers that are asked for, on average.
        cost: what a spoiled answer costs beyond its gain: 0 where it is useless, 1 where it hurts
            as much as a right one helps.

    Returns:
        N chances; all 0 where asking loses, whatever is asked.

    Raises:
        InputError: gains outside 0 … 1, or a negative number.
    """
    values = np.asarray(gains, np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise InputError("gains: expected N numbers of 0 … 1")
    if wrong < 0 or budget < 0 or cost < 0:
        raise InputError("wrong, budget and cost: expected numbers from 0")
    order = np.argsort(-values, kind="stable")
    order = order[values[order] > 0]
    chances = np.zeros(len(values))
    if len(order) and budget > 0:
        filling = _Filling(values[order], min(float(budget), float(len(order))))
        levels = np.concatenate([filling.gains, filling.exhausting()])
        worth = filling.worth(levels, wrong, 1 + cost)
        best = int(worth.argmax())
        if worth[best] > 0:
            chances[order] = filling.chances(float(levels[best]))
    return chances


class _Filling(NamedTuple):
    """Chances that fill a budget from the largest gain on, none worth more than a level.

    Attributes:
        gains: positive numbers, descending.
        budget: at most as many as there are gains.
    """

    gains: NDArray[np.float64]
    budget: float

    def chances(self, level: float) -> NDArray[np.float64]:
        """Compute the chances at one level."""
        wanted = np.minimum(1, level / self.gains)
        left = self.budget - np.concatenate([[0], np.cumsum(wanted)[:-1]])
        return np.clip(left, 0, wanted)

    def exhausting(self) -> NDArray[np.float64]:
        """Compute the levels at which exactly the k largest use the budget up, for each k."""
        k = np.arange(1, len(self.gains) + 1)
        k = k[k >= self.budget]
        low, high = np.zeros(len(k)), np.ones(len(k))
        for _ in range(_HALVINGS):
            level = (low + high) / 2
            enough = self._used(level, k) >= self.budget
            low, high = np.where(enough, low, level), np.where(enough, level, high)
        return high

    def _used(self, level: NDArray[np.float64], k: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compute what the k largest would use at a level without a budget."""
        above = np.minimum(self._above(level), k)
        return np.asarray(level * self._inverses()[above] + (k - above))

    def worth(self, levels: NDArray[np.float64], wrong: int, weight: float) -> NDArray[np.float64]:
        """Compute the objective at L levels, by sums over the largest gains: O(L·log N)."""
        inverses, sums = self._inverses(), np.concatenate([[0], np.cumsum(self.gains)])
        above = self._above(levels)
        # Within those above the level the budget may end already.
        ended = np.searchsorted(inverses, self.budget / levels, "right") - 1
        above = np.minimum(above, ended)
        left = self.budget - levels * inverses[above]
        count = len(self.gains)
        short = above < self._above(levels)
        whole = np.where(short, 0, np.minimum(np.floor(left + 1e-12), count - above)).astype(int)
        last = np.minimum(above + whole, count - 1)
        part = np.where(above + whole < count, (left - whole).clip(0, 1) * self.gains[last], 0)
        spoiled = np.minimum(wrong, above) * levels
        spoiled += sums[np.clip(wrong, above, above + whole)] - sums[above]
        spoiled += np.where(wrong > above + whole, part, 0)
        total = levels * above + sums[above + whole] - sums[above] + part
        return np.asarray(total - weight * spoiled)

    def _above(self, levels: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.searchsorted(-self.gains, -levels, "left")

    def _inverses(self) -> NDArray[np.float64]:
        return np.concatenate([[0], np.cumsum(1 / self.gains)])


def draw_by_chance(chances: ArrayLike, start: float) -> NDArray[np.int64]:
    """Draw rows with given chances, as many as the chances sum to: systematic sampling.

    Args:
        chances: N numbers of 0 … 1.
        start: drawn uniformly from 0 … 1.

    Returns:
        Ascending rows, each at most once.
    """
    reached = np.cumsum(np.asarray(chances, np.float64))
    marks = np.arange(start, reached[-1] if len(reached) else 0)
    return np.searchsorted(reached, marks, "right")
