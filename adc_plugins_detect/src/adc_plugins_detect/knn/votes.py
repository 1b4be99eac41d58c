"""Votes of neighbors: how much of it goes to which label, whatever the number of classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adc_core.arrays import Array, chunks


@dataclass(frozen=True)
class Votes:
    """What a sample and its neighbors say of its label.

    Attributes:
        agreement: N float64, cosine in 0…1 between the votes and the given label alone.
        winner: N int64, the label with the most votes; ties: the lowest wins.
        share: N float64 in 0…1, the winner's share of the votes.
    """

    agreement: NDArray[np.float64]
    winner: NDArray[np.int64]
    share: NDArray[np.float64]


def count_votes(labels: NDArray[np.int64], neighbor_labels: Array, similarities: Array) -> Votes:
    """Let each sample and its neighbors vote for their labels, by similarity.

    A sample votes for its own label too, a little more strongly than its nearest neighbor: by
    as much more as that one does than the next. Memory is O(N k²) a chunk: votes are summed per
    neighbor, not per class, so many classes cost nothing.

    Args:
        labels: N given labels.
        neighbor_labels: N × m labels of the neighbors, nearest first, m at least 2.
        similarities: N × m cosine similarities; NaN for a neighbor that does not vote. The
            first two must vote.
    """
    n, m = neighbor_labels.shape
    agreement, winner, share = np.empty(n), np.empty(n, np.int64), np.empty(n)
    for part in chunks(n, 8 * (m + 1) ** 2):
        near = similarities[part].astype(np.float64)
        own = 2 * near[:, :1] - near[:, 1:2]
        weight = np.nan_to_num(np.hstack([own, near]), nan=0.0)
        label = np.hstack([labels[part, None], neighbor_labels[part]])
        votes = ((label[:, :, None] == label[:, None, :]) * weight[:, None, :]).sum(axis=2)
        length = np.sqrt((votes * weight).sum(axis=1).clip(min=1e-300))
        agreement[part] = (votes[:, 0] / length).clip(0, 1)
        most = votes.max(axis=1)
        last = np.iinfo(np.int64).max
        winner[part] = np.where(votes == most[:, None], label, last).min(axis=1)
        share[part] = (most / weight.sum(axis=1).clip(min=1e-300)).clip(0, 1)
    return Votes(agreement, winner, share)
