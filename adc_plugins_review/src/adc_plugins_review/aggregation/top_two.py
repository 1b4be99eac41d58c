"""Top two: the most probable answer to each item, the second one, and how sure the first is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, svds

from adc_core import InputError
from adc_plugins_review.aggregation.vote_arrays import VoteArrays, refuse_single_votes, vote_arrays

_DENSE = 10_000_000
"""Raters times items up to which their table is decomposed as a whole."""


class TopTwoResult(NamedTuple):
    """Two answers to each item.

    Attributes:
        first: N classes.
        second: N classes, others than the first.
        certainty: N in 0.501 … 0.999, how much of what is not a guess says the first answer.
        skill: R in 0.001 … 0.999, how often a rater does not guess; those who guess worse than by
            chance are at the lower end.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    certainty: NDArray[np.float64]
    skill: NDArray[np.float64]

    def soft_labels(self, classes: int) -> NDArray[np.float64]:
        """Return N × K: the certainty at the first answer, and the rest at the second."""
        soft = np.zeros((len(self.first), classes))
        each = np.arange(len(self.first))
        soft[each, self.first], soft[each, self.second] = self.certainty, 1 - self.certainty
        return soft


def top_two(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    *,
    items: int | None = None,
    raters: int | None = None,
    classes: int | None = None,
) -> TopTwoResult:
    """Estimate the two most plausible answers to each item (Jeong and Chung, ICML 2023).

    A rater of skill p answers by chance with 1 − p; else he gives the item's first answer with its
    certainty q, or its second. Skills come from the first singular vectors of the votes, cut
    between classes; then each item gets the pair of answers under which its votes are likeliest.

    Use it for the second answer and the certainty: for the first alone Dawid and Skene's method is
    better (.843 of the dogs right, .832 here and .818 by majority). The order of the classes
    matters: over all orders of the four kinds of dogs from .822 to .836 are right. The authors'
    code takes q at the true answer; here it is that of the estimated one.

    Args:
        item: V row numbers of the items.
        rater: V numbers of the raters; of several answers to an item the last counts.
        label: V class indices.
        items: how many items there are; by default up to the last one that has a vote.
        raters: how many raters.
        classes: K, how many classes.

    Raises:
        InputError: arrays of other lengths or out of range, each item has one vote, or two classes,
            of which the second answer is always the other one.
    """
    votes = _last_answers(vote_arrays(item, rater, label, items, raters, classes))
    refuse_single_votes(votes)
    K = votes.answers
    if K < 3:
        raise InputError(f"top_two needs three classes, there are {K}: use dawid_skene")
    differences = _differences(votes)
    order = np.argsort(differences, axis=1, kind="stable")
    first, second = order[:, 0], order[:, 1]
    skill = _skills(votes, first, second)
    length = max(float(np.linalg.norm(skill)), 1e-300)
    nearest = differences[np.arange(votes.items), first]
    certainty = np.clip(1 / K - nearest / length, 0.501, 0.999)
    return TopTwoResult(*_likeliest(votes, certainty, skill), certainty, skill)


def _last_answers(votes: VoteArrays) -> VoteArrays:
    """Keep the last answer of a rater to an item."""
    pairs = votes.item * votes.raters + votes.rater
    _, back = np.unique(pairs[::-1], return_index=True)
    kept = np.sort(len(pairs) - 1 - back)
    return votes._replace(item=votes.item[kept], rater=votes.rater[kept], label=votes.label[kept])


def _differences(votes: VoteArrays) -> NDArray[np.float64]:
    """Compute N × K numbers, the smaller the more an answer is one of the two (stage one)."""
    K, shape = votes.answers, (votes.raters, votes.items)
    density = len(votes.item) / (votes.raters * votes.items)
    tables, shifts = [], []
    for k in range(1, K):
        signs = np.where(votes.label < k, -1.0, 1.0)
        tables.append(csr_array((signs, (votes.rater, votes.item)), shape=shape))
        shifts.append(density * (K - 2 * k) / K)
    vectors = [_first_vector(*pair) for pair in zip(tables, shifts, strict=True)]
    direction = np.clip(np.mean(vectors, axis=0), 0, 1)
    levels = np.zeros((votes.items, K + 1))
    for k, (table, shift) in enumerate(zip(tables, shifts, strict=True), 1):
        levels[:, k] = (table.T @ direction - shift * direction.sum()) / (2 * density)
    return np.diff(levels, axis=1)


def _first_vector(table: csr_array, shift: float) -> NDArray[np.float64]:
    """Compute the first left singular vector of a table with a number taken from every entry."""
    rows, columns = table.shape
    if rows * columns <= _DENSE or min(rows, columns) < 3:
        found = np.linalg.svd(table.toarray() - shift, full_matrices=False)[0][:, 0]
    else:
        shifted = LinearOperator(
            table.shape,
            matvec=lambda x: table @ x.ravel() - shift * x.sum(),
            rmatvec=lambda x: table.T @ x.ravel() - shift * x.sum(),
            dtype=np.float64,
        )
        found = svds(shifted, k=1, v0=np.ones(min(rows, columns)))[0][:, 0]
    return np.asarray(found if found.sum() > 0 else -found)


def _skills(
    votes: VoteArrays, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Compute how often each rater answers within the two, without what chance does."""
    within = (votes.label == first[votes.item]) | (votes.label == second[votes.item])
    count = np.bincount(votes.rater, minlength=votes.raters)
    share = np.bincount(votes.rater, within, minlength=votes.raters) / np.maximum(count, 1)
    chance = 2 / votes.answers
    return np.clip((share - chance) / (1 - chance), 0.001, 0.999)


def _likeliest(
    votes: VoteArrays, certainty: NDArray[np.float64], skill: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find for each item the pair of answers under which its votes are likeliest (stage two).

    The likelihood is a sum over the first answer and over the second: the best pair is among the
    two best of each.
    """
    K, odds = votes.answers, (skill / (1 - skill))[votes.rater]
    q = certainty[votes.item]
    places, size = votes.item * K + votes.label, votes.items * K
    one = np.bincount(places, np.log(K * q * odds + 1), minlength=size).reshape(-1, K)
    two = np.bincount(places, np.log(K * (1 - q) * odds + 1), minlength=size).reshape(-1, K)
    each = np.arange(votes.items)[:, None]
    best_one = np.argsort(-one, axis=1, kind="stable")[:, :2]
    best_two = np.argsort(-two, axis=1, kind="stable")[:, :2]
    a, b = best_one[:, [0, 0, 1, 1]], best_two[:, [0, 1, 0, 1]]
    total = np.where(a == b, -np.inf, one[each, a] + two[each, b])
    # Of equal pairs the one with the lower first answer, then the lower second.
    order = np.lexsort((b, a, -total), axis=1)[:, 0]
    return a[each[:, 0], order], b[each[:, 0], order]
