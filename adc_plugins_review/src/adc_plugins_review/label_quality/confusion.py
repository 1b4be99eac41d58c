"""How often each class is right where a rater gives a class."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LAPLACE = 1.0
_SHRINK = 10.0
"""A rater with so many pairs of a class counts as much as the pool."""


def confusion_rows(
    given: ArrayLike, true: ArrayLike, rater: ArrayLike, raters: int, classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimate P(true class | given class) of a pool and of each rater, drawn to the pool.

    Args:
        given: P class indices that raters gave.
        true: P true ones.
        rater: P numbers of the raters.
        raters: R, how many raters.
        classes: K, how many classes.

    Returns:
        K × K and R × K × K, row = given class, rows sum to one.
    """
    y, t, r = (np.asarray(column, np.int64) for column in (given, true, rater))
    K = classes
    cells = np.bincount((r * K + y) * K + t, minlength=raters * K * K).reshape(raters, K, K)
    pool = cells.sum(axis=0) + _LAPLACE
    pool = pool / pool.sum(axis=1, keepdims=True)
    number = cells.sum(axis=2, keepdims=True)
    own = (cells + _LAPLACE) / (number + _LAPLACE * K)
    share = number / (number + _SHRINK)
    rows: NDArray[np.float64] = share * own + (1 - share) * pool
    return pool, rows
