"""The samples for an expert's eyes: which are suspect, why, and what has been decided of each."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adc_core.arrays import Array
from adc_core.reporting import mean_rank, suggested_by_most
from adc_plugins_review.campaign.deciding import NO, YES
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.campaign.store import Store

SHOWN = 50
"""Suspects on a page."""

PROBABLE = 8
"""Classes that have a key of their own."""

NEIGHBORS = 8


@dataclass(frozen=True)
class Decision:
    """What an expert decided about a sample.

    Attributes:
        kind: keep, relabel or drop.
        label: class index that the decision is about.
    """

    kind: str
    label: int


@dataclass(frozen=True)
class Opinion:
    """What one detector says of a sample."""

    detector: str
    suspicion: float | None
    flagged: bool
    suggested: int | None


@dataclass(frozen=True)
class Neighbor:
    """A sample that looks alike: its row in the dataset as collected, and its label there."""

    row: int
    label: int


class Suspects:
    """All samples in the order of suspicion, and the evidence about each.

    Args:
        source: the samples and their findings.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    @cached_property
    def order(self) -> Array:
        """N rows, the most suspicious first; as they are where nothing is known."""
        order = self._source.order
        return np.arange(len(self._source.dataset)) if order is None else order

    @cached_property
    def suspicion(self) -> Array:
        """N shares of less suspicious samples; NaN where nothing is known."""
        found = self._source.findings
        n = len(self._source.dataset)
        return mean_rank(found.values()) if found else np.full(n, np.nan)

    @cached_property
    def suggested(self) -> Array:
        """N class indices that most detectors suggest, -1 where none does."""
        dataset, found = self._source.dataset, self._source.findings
        if not found:
            return np.full(len(dataset), -1)
        # Numbers as names, so that they can be read back without looking up every name.
        numbers = tuple(map(str, range(len(dataset.classes))))
        names = suggested_by_most(found.values(), numbers).fill_null("-1")
        return np.array(names.to_pylist(), np.int64)

    def matching(
        self, label: int | None, detector: str | None, decided: set[int], *, at_random: bool
    ) -> Array:
        """Return rows of a class, flagged by a detector, undecided.

        They are in the order of suspicion, or at random, always the same: what is to be control
        questions must not be what is suspect.
        """
        kept = np.ones(len(self._source.dataset), np.bool_)
        if label is not None:
            kept &= self._source.dataset.labels == label
        if detector is not None:
            kept &= self._source.findings[detector].flagged
        kept[list(decided)] = False
        order = np.random.default_rng(0).permutation(len(kept)) if at_random else self.order
        return order[kept[order]]

    def opinions(self, row: int) -> list[Opinion]:
        """Return what each detector says of a sample."""
        opinions = []
        for name, found in self._source.findings.items():
            suspicion = float(found.suspicion[row])
            label = -1 if found.suggested_labels is None else int(found.suggested_labels[row])
            opinions.append(
                Opinion(
                    name,
                    None if np.isnan(suspicion) else suspicion,
                    bool(found.flagged[row]),
                    None if label < 0 else label,
                )
            )
        return opinions

    def neighbors(self, row: int) -> list[Neighbor]:
        """Return the samples that look most like one, of the dataset as collected."""
        collected = self._source.collected
        if collected.neighbors is None:
            return []
        near = collected.neighbors.indices[self._source.rows[row], :NEIGHBORS].tolist()
        return [Neighbor(one, int(collected.labels[one])) for one in near if one >= 0]

    def probable(self, row: int) -> list[int]:
        """Return the most probable classes but the given one, the suggested one first."""
        given = int(self._source.dataset.labels[row])
        classes = [int(self.suggested[row])]
        known = self._source.collected.probabilities
        if known is not None:
            values = known.values[self._source.rows[row]]
            most = np.argpartition(-values, min(PROBABLE, len(values) - 1))[: PROBABLE + 1]
            classes += most[np.argsort(-values[most], kind="stable")].tolist()
        classes += [near.label for near in self.neighbors(row)]
        wanted = dict.fromkeys(one for one in classes if one >= 0 and one != given)
        return list(wanted)[:PROBABLE]


def matching_classes(classes: tuple[str, ...], text: str, most: int = SHOWN) -> list[int]:
    """Find classes by a part of their name; those that begin with it come first."""
    wanted = text.casefold()
    begin: list[int] = []
    contain: list[int] = []
    for number, name in enumerate(classes):
        place = name.casefold().find(wanted)
        if place == 0:
            begin.append(number)
        elif place > 0 and len(contain) < most:
            contain.append(number)
        if len(begin) >= most:
            break
    return (begin + contain)[:most]


def decisions(store: Store) -> dict[int, Decision]:
    """Return the latest decision of an expert about each row of the dataset."""
    found = {}
    for row in store.db.execute(
        "SELECT row, item.label AS given, vote.label AS label, answer FROM vote "
        "JOIN item ON item.id = vote.item WHERE task = 'relabel' ORDER BY event"
    ):
        if row["answer"] == NO:
            kind = "drop"
        else:
            kind = "keep" if row["label"] == row["given"] else "relabel"
        found[row["row"]] = Decision(kind, row["label"])
    return found


def answer_of(decision: str, given: int, label: int | None) -> tuple[int | None, int]:
    """Return the answer and the label of the vote that a decision is; None takes it back."""
    if decision == "keep":
        return YES, given
    if decision == "drop":
        return NO, given
    if decision == "undo":
        return None, given
    assert label is not None
    return YES, label


def said_of(store: Store, row: int) -> list[tuple[str, int, int]]:
    """Return what people said of a row: pseudonym, label, answer."""
    return [
        (f"r{one['rater']:02}", one["label"], one["answer"])
        for one in store.db.execute(
            "SELECT vote.rater, vote.label, answer FROM vote JOIN item ON item.id = vote.item "
            "WHERE item.row = ? AND task = 'vote' ORDER BY event",
            (row,),
        )
    ]
