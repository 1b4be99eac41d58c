"""Votes as array users hand them in: three long arrays, checked once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError


class VoteArrays(NamedTuple):
    """One entry per vote, and how many items, raters and classes there are.

    Attributes:
        item: V int64 in 0…N-1.
        rater: V int64 in 0…R-1.
        label: V int64 in 0…A-1, the answers.
        items: N.
        raters: R.
        answers: A.
    """

    item: NDArray[np.int64]
    rater: NDArray[np.int64]
    label: NDArray[np.int64]
    items: int
    raters: int
    answers: int

    def counts(self) -> NDArray[np.float64]:
        """N × A: how many raters gave each item each answer."""
        places = self.item * self.answers + self.label
        table = np.bincount(places, minlength=self.items * self.answers)
        return table.reshape(self.items, self.answers).astype(np.float64)

    def shares(self) -> NDArray[np.float64]:
        """N × A: shares of the answers of each item; zeros where it has no vote."""
        counts = self.counts()
        shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return shares


def vote_arrays(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    items: int | None = None,
    raters: int | None = None,
    classes: int | None = None,
) -> VoteArrays:
    """Check three arrays of whole numbers, one entry per vote.

    Args:
        item: V row numbers.
        rater: V numbers of raters.
        label: V class indices.
        items: how many items there are; by default up to the last one that has a vote.
        raters: how many raters.
        classes: how many classes.

    Raises:
        InputError: there is no vote, lengths differ, or a number is out of range.
    """
    given = {"items": item, "raters": rater, "labels": label}
    columns = {name: np.asarray(values) for name, values in given.items()}
    lengths = {name: column.shape for name, column in columns.items()}
    if len(set(lengths.values())) > 1 or len(lengths["items"]) != 1:
        said = ", ".join(f"{name} {shape}" for name, shape in lengths.items())
        raise InputError(f"votes: {said}: give one item, rater and label per vote")
    if not len(columns["items"]):
        raise InputError("votes: there are none: give at least one")
    sizes = []
    for (name, column), size in zip(columns.items(), (items, raters, classes), strict=True):
        if column.dtype.kind not in "iu":
            raise InputError(f"votes: {name} are {column.dtype}: give whole numbers from 0")
        outside = column < 0 if size is None else (column < 0) | (column >= size)
        if outside.any():
            row = int(outside.argmax())
            last = "" if size is None else size - 1
            raise InputError(f"votes: {name}: row {row} is {column[row]}, expected 0…{last}")
        sizes.append(int(column.max()) + 1 if size is None else size)
    whole = [column.astype(np.int64) for column in columns.values()]
    return VoteArrays(whole[0], whole[1], whole[2], sizes[0], sizes[1], max(2, sizes[2]))


def refuse_single_votes(votes: VoteArrays) -> None:
    """Refuse votes from which no rater's skill can be known.

    Raises:
        InputError: no item has two votes.
    """
    if np.bincount(votes.item).max() < 2:
        raise InputError("each item has one vote: the majority is all there is, use majority-votes")
