"""Which hit shows which image, and which images are kept.

Only figures are held, a few dozen bytes for a hit: all else is read again when it is written down.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Hit
from adc_core.images import duplicate_groups
from adc_plugins_search.download.journal import Journal
from adc_plugins_search.download.outcomes import Outcome, Refused
from adc_plugins_search.download.searches.run_queries import SearchHit
from adc_plugins_search.download.searches.task_for_hit import task_for

NearDuplicates = Literal["keep", "first", "drop-conflicts"]
Rows = NDArray[np.int64]


class HitOutcome(NamedTuple):
    """A hit, the key of its address, and what became of it; no key where it was never asked for."""

    hit: Hit
    key: str
    outcome: Outcome


class HitOutcomes:
    """What became of every hit, in order, as often as it is asked for.

    Args:
        found: every hit, as often as it is asked for.
        keys: H keys of their addresses, empty where an address may not be fetched.
        journal: knows the outcome of every key.
        allow_licenses: codes of the licenses under which an image may be fetched; none for any.
    """

    def __init__(
        self,
        found: Iterable[SearchHit],
        keys: NDArray[np.bytes_],
        journal: Journal,
        allow_licenses: tuple[str, ...] = (),
    ) -> None:
        self._found = found
        self._keys = keys
        self._journal = journal
        self._allow_licenses = allow_licenses

    def __iter__(self) -> Iterator[HitOutcome]:
        for found, letters in zip(self._found, self._keys, strict=True):
            key = letters.decode()
            outcome = self._journal.outcome(key) if key else self._refused(found)
            assert outcome is not None
            yield HitOutcome(found.hit, key, outcome)

    def _refused(self, found: SearchHit) -> Refused:
        refused = task_for(found, self._allow_licenses)
        assert isinstance(refused, Refused)
        return refused


@dataclass(frozen=True)
class Deduplication:
    """Which hits show an image, and which images are kept.

    Attributes:
        image: H, the image that each hit shows, -1 where it shows none; images are numbered
            in the order of their first hits.
        first: P, the first hit of each image.
        hits: P, how many hits each image has.
        group: P, the first of the images that are nearly the same as each.
        kept: P, whether it is kept.
        other_classes: images that were found for other classes than their first hit's, and which.
    """

    image: Rows
    first: Rows
    hits: Rows
    group: Rows
    kept: NDArray[np.bool_]
    other_classes: dict[int, set[str]]

    @property
    def group_of_kept(self) -> Rows:
        """The group of each image that is kept, as rows among those that are."""
        row = np.cumsum(self.kept) - 1
        rows: Rows = row[self.group[self.kept]]
        return rows


def deduplicate(
    hit_outcomes: Iterable[HitOutcome], near: NearDuplicates = "keep", bits: int = 3
) -> Deduplication:
    """Keep the first hit of each image, and of near duplicates what is asked for.

    An image that comes again, at the same or at another address, is a duplicate; where it comes
    for another class, the result says so, because that is a sign of a wrong label.

    Args:
        hit_outcomes: every hit, in order.
        near: of near duplicates keep all, the first, or none where their classes differ.
        bits: in how many bits the perceptual hashes of near duplicates differ at most.
    """
    codes: dict[str, int] = {}
    hit, label, perceptual, digests, total = array("q"), array("l"), array("Q"), bytearray(), 0
    for number, each in enumerate(hit_outcomes):
        total = number + 1
        if not isinstance(each.outcome, Refused):
            hit.append(number)
            label.append(codes.setdefault(each.hit.query.class_name, len(codes)))
            perceptual.append(each.outcome.perceptual)
            digests += bytes.fromhex(each.outcome.stored_sha256)
    hits, labels = np.array(hit, np.int64), np.array(label, np.int64)
    image, first, count = _unique_images(np.frombuffer(digests, "S32"))
    own = labels[first]
    others = np.unique(np.stack([image, labels], axis=1)[labels != own[image]], axis=0)
    group = duplicate_groups(np.array(perceptual, np.uint64)[first], bits)
    rows = np.arange(len(first))
    if near == "first":
        kept = group == rows
        also = np.stack([group, own], axis=1)[~kept & (own != own[group])]
        others = np.concatenate([others, also])
    elif near == "drop-conflicts":
        lowest, highest = own.copy(), own.copy()
        np.minimum.at(lowest, group, own)
        np.maximum.at(highest, group, own)
        kept = (lowest == highest)[group]
    else:
        kept = np.ones(len(first), bool)
    shown = np.full(total, -1)
    shown[hits] = image
    names = list(codes)
    other_classes: dict[int, set[str]] = {}
    for one, code in others.tolist():
        other_classes.setdefault(one, set()).add(names[code])
    return Deduplication(shown, hits[first], count, group, kept, other_classes)


def _unique_images(digests: NDArray[np.bytes_]) -> tuple[Rows, Rows, Rows]:
    """Return of each sum its image; of each image its first row and its number of rows."""
    _, first, image, count = np.unique(
        digests, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place[image], first[order], count[order]
