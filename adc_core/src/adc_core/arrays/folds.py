"""Folds of samples for models that must not have seen what they predict."""

import numpy as np
from numpy.typing import NDArray

NEVER_HELD_OUT = -1
"""The fold of a sample that every model is trained with."""


def stratified_folds(
    labels: NDArray[np.int64], folds: int, seed: int, *, keep_lone: bool = False
) -> NDArray[np.int64]:
    """Spread the samples of each class over the folds as evenly as can be, at random.

    A class with fewer samples than folds is held out in as many folds as it has samples.

    Args:
        labels: N class indices.
        folds: how many folds.
        seed: of the order.
        keep_lone: never hold out the only sample of a class, for a model that would not know its
            class then.

    Returns:
        N fold numbers, `NEVER_HELD_OUT` for lone samples that are kept.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    if keep_lone:
        by_class = by_class[np.bincount(labels)[labels[by_class]] > 1]
    fold = np.full(len(labels), NEVER_HELD_OUT)
    fold[by_class] = np.arange(len(by_class)) % folds
    return fold
