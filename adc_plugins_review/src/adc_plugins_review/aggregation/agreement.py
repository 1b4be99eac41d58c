"""How far raters agree beyond chance."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError


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
    table = np.asarray(counts, np.float64)
    if table.ndim != 2:
        raise InputError(f"counts are {table.shape}: give N items × A answers")
    table = table[table.sum(axis=1) >= 2]
    if not len(table):
        return float("nan")
    weights = 1 / (table.sum(axis=1) - 1)
    weighted: NDArray[np.float64] = table * weights[:, None]
    together = weighted.T @ table - np.diag(weighted.sum(axis=0))
    values = together.sum(axis=1)
    total = values.sum()
    expected = 1 - (values * (values - 1)).sum() / (total * (total - 1))
    return 1.0 if expected == 0 else float(1 - (1 - np.trace(together) / total) / expected)
