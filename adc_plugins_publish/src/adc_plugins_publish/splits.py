"""Random splits that keep what belongs together on one side."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from adc_core import InputError

TRAIN = "train"
"""The split that gets what the others leave."""


def split_by_group(
    labels: NDArray[np.int64], groups: NDArray[np.generic], shares: Mapping[str, float], seed: int
) -> NDArray[np.str_]:
    """Deal groups of samples out to splits: nearly the same shares of every label in each.

    A near duplicate of a training image in the test set would be recognised, not classified:
    so a group, such as the near duplicates of one image, is never divided. It counts for the
    label of its first sample.

    Args:
        labels: N class indices.
        groups: N numbers or texts; samples of one group are dealt together.
        shares: split to its share of the samples; `train` gets the rest.
        seed: of the order.

    Returns:
        N names of splits.

    Raises:
        InputError: shares that are no shares, or so few samples that a split has none.
    """
    if TRAIN in shares or not all(share > 0 for share in shares.values()) or _total(shares) >= 1:
        raise InputError(
            f"splits are shares above 0 that leave something to {TRAIN}, such as test=0.1"
        )
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    label, size = labels[first], np.bincount(group)
    shuffled = np.random.default_rng(seed).permutation(len(first))
    order = shuffled[np.argsort(label[shuffled], kind="stable")]
    # Where a group's middle is among the samples of its label, from 0 to 1, decides.
    of_label = np.bincount(label, size)
    middle = np.cumsum(size[order]) - size[order] / 2
    middle -= (np.cumsum(of_label) - of_label)[label[order]]
    edges = np.cumsum([*shares.values()])
    place = np.empty(len(first), np.int64)
    place[order] = np.searchsorted(edges, middle / of_label[label[order]], side="right")
    names = np.array([*shares, TRAIN])
    chosen: NDArray[np.str_] = names[place[group]]
    for name in names:
        if not (chosen == name).any():
            raise InputError(f"{len(labels)} samples are too few for a split {name}: give more")
    return chosen


def _total(shares: Mapping[str, float]) -> float:
    return sum(shares.values())
