"""Votes in many random subsets: how often a label is flagged, and what it is said to be."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Neighbors, progress
from adc_core.arrays import Array, chunks
from adc_plugins_detect.knn.votes import count_votes

Judge = Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.bool_]]


class Tally(NamedTuple):
    """What the rounds found.

    Attributes:
        flags: N int64, rounds that flagged the sample.
        seen: N int64, rounds that judged it.
        suggested: R sorted codes `row * K + label`, one per flag: the winner of its vote.
    """

    flags: NDArray[np.int64]
    seen: NDArray[np.int64]
    suggested: NDArray[np.int64]


class Suggestions(NamedTuple):
    """What labels should be.

    Attributes:
        label: M int64, the label most often suggested other than the given one, -1 without one.
        confidence: M float64 in 0…1.
    """

    label: NDArray[np.int64]
    confidence: NDArray[np.float64]


def neighbors_for_rounds(k: int, share: float) -> int:
    """Return how wide a graph must be to hold k - 1 neighbors in nearly every random subset."""
    wanted = k - 1
    return math.ceil((wanted + 4 * math.sqrt(wanted * (1 - share))) / share)


def run_rounds(
    labels: NDArray[np.int64],
    neighbors: Neighbors,
    n_classes: int,
    *,
    k: int,
    rounds: int,
    share: float,
    seed: int,
    judge: Judge,
) -> Tally:
    """Judge random subsets by the votes of the neighbors within each.

    Neighbors are not searched again: those of a subset are the members among the neighbors
    in the whole, nearest first.

    Args:
        labels: N given labels.
        neighbors: k-NN graph; `neighbors_for_rounds` says how wide.
        n_classes: K.
        k: voters, the sample itself among them.
        rounds: how many subsets.
        share: of the samples in each.
        seed: of the subsets.
        judge: says which members of a subset are wrong, from their rows and the agreement of
            their labels with the votes.
    """
    n = len(labels)
    width = min(neighbors.k, neighbors_for_rounds(k, share))
    indices, similarities = neighbors.first(width)
    random = np.random.default_rng(seed)
    flags, seen = np.zeros(n, np.int64), np.zeros(n, np.int64)
    suggested = []
    for done in range(1, rounds + 1):
        member = np.zeros(n, np.bool_)
        member[random.permutation(n)[: max(1, round(share * n))]] = True
        near_labels, near_similarities = _members_only(member, labels, indices, similarities, k - 1)
        rows = np.flatnonzero(member & ~np.isnan(near_similarities[:, 1]))
        votes = count_votes(labels[rows], near_labels[rows], near_similarities[rows])
        wrong = judge(rows, votes.agreement)
        seen[rows] += 1
        flags[rows[wrong]] += 1
        suggested.append(rows[wrong] * n_classes + votes.winner[wrong])
        progress(done, rounds, "round")
    return Tally(flags, seen, np.sort(np.concatenate([np.zeros(0, np.int64), *suggested])))


def _members_only(
    member: NDArray[np.bool_], labels: Array, indices: Array, similarities: Array, wanted: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return labels and similarities of each row's nearest members; NaN where too few."""
    present = member[indices]
    place = present.cumsum(axis=1, dtype=np.int32) - 1
    row, column = np.nonzero(present & (place < wanted))
    place = place[row, column]
    near_labels = np.zeros((len(indices), wanted), np.int64)
    near_similarities = np.full(near_labels.shape, np.nan, np.float32)
    near_labels[row, place] = labels[indices[row, column]]
    near_similarities[row, place] = similarities[row, column]
    return near_labels, near_similarities


def flag_share(flags: Array, seen: Array) -> NDArray[np.float64]:
    """Return N shares of rounds that flag a sample, one more round added each way; > 0.5: wrong."""
    share: NDArray[np.float64] = (flags + 1) / (seen + 2)
    return share


def suggest(
    counts: NDArray[np.int64],
    labels: NDArray[np.int64],
    share: NDArray[np.float64],
    pseudo_votes: float = 1.0,
) -> Suggestions:
    """Choose the label to give instead, from the suggestions of all rounds.

    Args:
        counts: M × K, how often each label was suggested.
        labels: M given labels.
        share: M shares of flags, by which confidence is weighed.
        pseudo_votes: added to the count of every class.
    """
    probability = counts + pseudo_votes
    probability = probability / probability.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    probability[rows, labels] = -1
    label = probability.argmax(axis=1)
    confidence = probability[rows, label] * share
    # Without a vote for another label the largest of equal remainders would mean nothing.
    voted = counts[rows, label] > 0
    return Suggestions(np.where(voted, label, -1), np.where(voted, confidence, 0.0))


def suggest_for_rows(
    tally: Tally, rows: NDArray[np.int64], labels: NDArray[np.int64], n_classes: int
) -> Suggestions:
    """Suggest labels for some rows, ascending.

    Every class gets one pseudo-vote, but all together no more than there are rounds: otherwise
    nothing could be confident where there are many classes.
    """
    pseudo_votes = min(1.0, int(tally.seen.max()) / n_classes)
    share = flag_share(tally.flags, tally.seen)
    found = [Suggestions(np.zeros(0, np.int64), np.zeros(0))]
    for part in chunks(len(rows), 24 * n_classes):
        some = rows[part]
        ends = [some[0] * n_classes, (some[-1] + 1) * n_classes]
        first, last = np.searchsorted(tally.suggested, ends)
        row, label = np.divmod(tally.suggested[first:last], n_classes)
        place = np.searchsorted(some, row)
        known = some[place] == row
        cells = place[known] * n_classes + label[known]
        counts = np.bincount(cells, minlength=len(some) * n_classes).reshape(len(some), n_classes)
        found.append(suggest(counts, labels[some], share[some], pseudo_votes))
    return Suggestions(*(np.concatenate(column) for column in zip(*found, strict=True)))
