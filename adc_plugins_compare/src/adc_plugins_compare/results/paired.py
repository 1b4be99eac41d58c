"""Which of several rows are as good as the best: a paired t-test over the seeds."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import ttest_1samp

LEVEL = 0.05
"""Below this a difference counts, after Holm's correction."""

FEWEST = 3
"""Seeds without which no difference can be told from chance."""


def tied_with_best(
    values: ArrayLike, better: Literal["higher", "lower"] = "higher"
) -> tuple[int | None, NDArray[np.bool_], bool]:
    """Find the best row, and the rows whose difference from it may be chance.

    The differences of a row from the best, seed by seed, are tested against zero (Student's t, two
    sides); over all rows the family-wise error is LEVEL (Holm 1979). The best was chosen by the
    same figures, so with many rows its own lead is flattering.

    Args:
        values: R rows × S seeds; NaN where a run failed or the figure is undefined.
        better: which direction is good.

    Returns:
        The row with the best mean, None where there is no figure at all; R booleans, which rows are
        tied with it, itself excepted, those of the same mean among them; and whether there were
        seeds enough to test any.
    """
    table = np.asarray(values, np.float64)
    there = np.isfinite(table)
    tied = np.zeros(len(table), bool)
    if not there.any():
        return None, tied, False
    means = np.array(
        [row[ok].mean() if ok.any() else np.nan for row, ok in zip(table, there, strict=True)]
    )
    best = int(np.nanargmax(means) if better == "higher" else np.nanargmin(means))
    chances: dict[int, float] = {}
    for row in range(len(table)):
        both = there[row] & there[best]
        difference = table[row, both] - table[best, both]
        if row == best or len(difference) < FEWEST:
            continue
        if np.ptp(difference) == 0:  # the test divides by the spread
            chances[row] = 1.0 if difference[0] == 0 else 0.0
        else:
            chances[row] = float(ttest_1samp(difference, 0).pvalue)
    for place, row in enumerate(sorted(chances, key=lambda one: chances[one])):
        if chances[row] * (len(chances) - place) >= LEVEL:
            # Holm: from the first that is not told from the best on, none is.
            later = sorted(chances, key=lambda one: chances[one])[place:]
            tied[later] = True
            break
    tied |= means == means[best]
    tied[best] = False
    return best, tied, bool(chances)
