"""How far raters agree beyond chance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError


class Agreement(NamedTuple):
    """Krippendorff's alpha, and how far it may be off.

    Attributes:
        alpha: 1 all agree, 0 as by chance; NaN where no item has two votes.
        low: lower end of its 95 % range.
        high: upper end.
        items: how many items have two votes.
    """

    alpha: float
    low: float
    high: float
    items: int


def krippendorff_alpha(counts: ArrayLike) -> float:
    """Compute Krippendorff's nominal alpha: 1 all agree, 0 as by chance, below 0 worse than that.

    Args:
        counts: N × A: how many raters gave each item each answer; items with fewer than two
            votes do not count.

    Returns:
        Alpha; NaN where no item has two votes.

    Raises:
        InputError: the counts are no matrix.
    """
    table = _compared(counts)
    if not len(table):
        return float("nan")
    weighted = table / (table.sum(axis=1, keepdims=True) - 1)
    return float(_alphas(weighted.T @ table - np.diag(weighted.sum(axis=0))))


def krippendorff_interval(counts: ArrayLike, *, repeats: int = 1000, seed: int = 0) -> Agreement:
    """Compute Krippendorff's alpha with the range of 95 % of a bootstrap over items.

    Items with the same counts are drawn together, by one multinomial draw a repeat: few people
    can answer in few ways, so that this takes no longer for many items.

    Args:
        counts: N × A, as of `krippendorff_alpha`, of a few different answers.
        repeats: how many times the items are drawn again.
        seed: of the drawing.

    Raises:
        InputError: the counts are no matrix.
    """
    table = _compared(counts)
    if not len(table):
        return Agreement(float("nan"), float("nan"), float("nan"), 0)
    kinds, number = np.unique(table, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(table), number / len(table), size=repeats)
    # G × A × A: ordered pairs of answers to an item of each kind, each vote counted once.
    each = kinds[:, :, None] * kinds[:, None, :] - kinds[:, :, None] * np.eye(kinds.shape[1])
    each /= (kinds.sum(axis=1) - 1)[:, None, None]
    found = _alphas(np.tensordot(np.vstack([number, drawn]), each, axes=1))
    low, high = np.quantile(found[1:], [0.025, 0.975]).tolist()
    return Agreement(float(found[0]), low, high, len(table))


def _compared(counts: ArrayLike) -> NDArray[np.float64]:
    """Return the rows with two votes or more."""
    table: NDArray[np.float64] = np.asarray(counts, np.float64)
    if table.ndim != 2:
        raise InputError(f"counts are {table.shape}: give N items × A answers")
    compared: NDArray[np.float64] = table[table.sum(axis=1) >= 2]
    return compared


def _alphas(together: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the alpha of each coincidence matrix: … × A × A."""
    values = together.sum(axis=-1)
    total = values.sum(axis=-1)
    expected = 1 - (values * (values - 1)).sum(axis=-1) / (total * (total - 1))
    observed = 1 - np.trace(together, axis1=-2, axis2=-1) / total
    same = expected == 0
    alphas: NDArray[np.float64] = np.where(same, 1.0, 1 - observed / np.where(same, 1, expected))
    return alphas
