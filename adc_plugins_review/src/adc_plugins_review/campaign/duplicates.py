"""Samples that look alike, for an expert's eyes: which of them stay."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from adc_core.arrays import Array
from adc_core.images import ImageError, linked_groups
from adc_plugins_review.campaign.answers import Answer, came_before, item_of_expert, record
from adc_plugins_review.campaign.deciding import NO, YES
from adc_plugins_review.campaign.raters import Rater
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.campaign.store import Store

MOST_SHOWN = 12
"""Members of a group that are shown at once: what is decided is what somebody has seen."""

_MEASURED = 64
"""Pixels to which an image is shrunk to learn how large it is."""


class DuplicateGroups:
    """Groups of samples that are linked by pairs of neighbors with a high similarity.

    Args:
        source: the samples, whose dataset as collected has the neighbors.
        similarity: from this cosine on two neighbors are a pair.
    """

    def __init__(self, source: Source, similarity: float) -> None:
        self._source = source
        self._similarity = similarity

    @property
    def known(self) -> bool:
        """Whether the dataset has neighbors."""
        return self._source.collected.neighbors is not None

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """N int64: the first row of each row's group; a row of its own is its own group."""
        count = len(self._source.dataset)
        near = self._source.collected.neighbors
        if near is None:
            return np.arange(count)
        here = np.full(len(self._source.collected), -1)
        here[self._source.rows] = np.arange(count)
        one, place = np.nonzero(near.similarities >= self._similarity)
        pairs = here[np.stack([one, near.indices[one, place]])]
        return linked_groups(count, pairs[:, (pairs >= 0).all(axis=0)])

    @cached_property
    def _members(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All rows of groups, group after group, and where each group begins."""
        size = np.bincount(self.first, minlength=len(self.first))
        rows = np.flatnonzero(size[self.first] > 1)
        rows = rows[np.argsort(self.first[rows], kind="stable")]
        return rows, np.flatnonzero(np.diff(self.first[rows], prepend=-1))

    def in_order(self, decided: Sequence[int], picked: Array) -> list[tuple[int, int, bool, bool]]:
        """List the groups, those first that are partly in the test set, then by their first row.

        Args:
            decided: rows of which an expert has said whether they stay.
            picked: rows that people picked for the test set.

        Returns:
            Of each group the first row, the size, whether it is partly in the test set, and
            whether all of it is decided.
        """
        rows, starts = self._members
        if not len(rows):
            return []
        marks = np.zeros((2, len(self.first)), np.bool_)
        marks[0, np.asarray(decided, np.int64)] = True
        marks[1, np.asarray(picked, np.int64)] = True
        every = np.logical_and.reduceat(marks[:, rows], starts, axis=1)
        spans = np.logical_or.reduceat(marks[1, rows], starts) & ~every[1]
        sizes = np.diff(starts, append=len(rows))
        order = np.argsort(~spans, kind="stable")
        columns = (self.first[rows[starts]], sizes, spans, every[0])
        return list(zip(*(column[order].tolist() for column in columns), strict=True))

    def shown(self, first: int, stays: dict[int, str | None]) -> list[int]:
        """Choose which members of a group to show: what stays for others, what is open, what stays.

        Of a group that is decided, whatever became of them.

        Args:
            first: row of the group.
            stays: of `decided_copies`.
        """
        members = np.flatnonzero(self.first == first).tolist()
        kept = {name for one in members if (name := stays.get(one))}
        if not stays.keys() >= set(members):
            members = [one for one in members if stays.get(one) is None]
        ids = self._source.dataset.ids
        order = sorted(members, key=lambda one: (str(ids[one]) not in kept, one in stays, one))
        return sorted(order[:MOST_SHOWN])

    def size(self, row: int) -> tuple[int, int]:
        """Return the width and height of an image; 0 and 0 where it cannot be decoded."""
        images = self._source.dataset.images
        assert images is not None
        try:
            return images.small(row, _MEASURED)[1]
        except ImageError:
            return 0, 0


def judge_copies(
    store: Store,
    rater: Rater,
    key: str,
    samples: Sequence[tuple[int, str, int]],
    *,
    decided: bool = True,
    kept: str | None = None,
) -> None:
    """Keep what an expert decides about samples that look alike.

    Args:
        store: of the review.
        rater: the expert.
        key: of the request.
        samples: row, id and label of each.
        decided: False takes the decision back.
        kept: id of the one that stays, while the others are dropped; None: they are no duplicates.

    Raises:
        Refused: 409 where the key came before with another decision.
    """
    with store.transaction() as db:
        for row, sample, label in samples:
            item = item_of_expert(db, "duplicates", row, sample, label)
            instead = None if kept == sample else kept
            answer = Answer(YES if instead is None else NO, kept=instead)
            if not decided:
                answer = Answer(None)
            own = f"{rater.id}:{key}:{row}"
            if not came_before(store, own, rater, item, answer.answer):
                record(store, "duplicates", rater, item, answer, key=own)


def decided_copies(store: Store) -> dict[int, str | None]:
    """Return what experts decided last: row to what is kept in its place, None where it stays."""
    return {
        row["row"]: row["kept"]
        for row in store.db.execute(
            "SELECT row, kept FROM vote JOIN item ON item.id = vote.item "
            "JOIN event ON event.id = vote.event WHERE task = 'duplicates' ORDER BY event.id"
        )
    }
