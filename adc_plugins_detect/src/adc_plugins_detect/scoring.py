"""From scores to flags: how suspect samples are is one thing, which are judged wrong another."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from adc_core import InputError
from adc_core.arrays import Array

FLAG_RATE = 0.1
"""Share to flag where the literature names none: the worst tenth, to look at first."""


def flag_top_fraction(scores: Array, rate: float) -> NDArray[np.bool_]:
    """Flag the samples with the highest scores, exactly the whole part of `rate` times N.

    Args:
        scores: N finite numbers, higher is more suspect; ties: the first are flagged.
        rate: share to flag. It is taken for the decimal number that it prints as: 0.29 of a
            hundred samples are 29, though the float is a little less.

    Raises:
        InputError: the rate is no share.
    """
    if not 0 <= rate <= 1:
        raise InputError(f"flag_rate is {rate}: expected a share in 0…1")
    return highest(scores, int(Fraction(str(rate)) * len(scores)))


def highest(values: Array, count: int) -> NDArray[np.bool_]:
    """Mark the `count` largest values; ties: the first wins."""
    chosen = np.zeros(len(values), np.bool_)
    if count <= 0:
        return chosen
    if count >= len(values):
        return ~chosen
    least = np.partition(values, -count)[-count]
    chosen |= values > least
    chosen[np.flatnonzero(values == least)[: count - int(chosen.sum())]] = True
    return chosen


def softsign_to_unit(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map unbounded scores to suspicion: their order is kept, and 0 becomes 0.5.

    It is (1 + s / (1 + |s|)) / 2, whose ends are reached far more slowly than a sigmoid's, so
    that large scores keep apart.
    """
    suspicion: NDArray[np.float64] = (1 + scores / (1 + np.abs(scores))) / 2
    return suspicion
