"""Votes: what people said of the labels of samples."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from adc_core.arrays.validation import Array, Flags, Indices, Labels, Matrix, Scores
from adc_core.records.record import Record

_PER_VOTE = ("item", "rater", "label", "answer", "seconds", "time", "confidence")
_PER_RATER = ("names", "trusted", "features")


class Votes(Record):
    """What people said of labels: one row per vote.

    "Is this a dress?", answered no, is (item, rater, dress, -1); "this is a shirt" is
    (item, rater, shirt, 1).

    Attributes:
        item: V int64 row numbers of the dataset.
        rater: V int64 numbers of the people, 0…R-1.
        label: V int64 class indices that the votes are about.
        answer: V int64, what the rater says of the label: 1 yes, 0 unsure, -1 no. None: all yes.
        seconds: V float64, how long the sample was looked at; NaN unknown. Or None.
        time: V int64, when, in microseconds since 1970 (UTC). Or None.
        confidence: V float64 in 0 … 1, as the rater states it; NaN unknown. Or None.
        names: R names of the raters, or None.
        trusted: R booleans: an expert, whose word counts as the truth. Or None.
        features: R × f float32, what is known of the raters, or None.
        feature_names: f names of these.
        selected: row numbers of samples that somebody chose for a test set, or None.
        duplicates: D × 2 int64 row numbers: a sample that somebody saw to be a near duplicate, and
            the one that is kept in its place. Or None.
    """

    item: Labels
    rater: Labels
    label: Labels
    answer: Labels | None = None
    seconds: Scores | None = None
    time: Labels | None = None
    confidence: Scores | None = None
    names: tuple[str, ...] | None = None
    trusted: Flags | None = None
    features: Matrix | None = None
    feature_names: tuple[str, ...] = ()
    selected: Labels | None = None
    duplicates: Indices | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not len(self.item) == len(self.rater) == len(self.label):
            raise ValueError(
                f"{len(self.item)} items, {len(self.rater)} raters and {len(self.label)} labels: "
                "give one of each per vote"
            )
        for name in _PER_VOTE[3:]:
            column = getattr(self, name)
            if column is not None and len(column) != len(self.item):
                raise ValueError(f"{name} has {len(column)} rows for {len(self.item)} votes")
        described = {
            name: len(given) for name in _PER_RATER if (given := getattr(self, name)) is not None
        }
        if len(set(described.values())) > 1:
            said = ", ".join(f"{count} {name}" for name, count in described.items())
            raise ValueError(f"{said}: give one of each per rater")
        raters = next(iter(described.values()), None)
        for name in ("item", "rater", "label", "selected", "duplicates"):
            if fault := self._outside(name, raters if name == "rater" else None):
                raise ValueError(fault)
        if self.duplicates is not None and self.duplicates.shape[1] != 2:
            raise ValueError(f"duplicates are {self.duplicates.shape}: give D × 2 row numbers")
        if self.answer is not None and (strange := np.abs(self.answer) > 1).any():
            row = int(strange.argmax())
            raise ValueError(f"answer: row {row} is {self.answer[row]}, expected 1, 0 or -1")
        if self.confidence is not None:
            strange = (self.confidence < 0) | (self.confidence > 1)
            if strange.any():
                row = int(strange.argmax())
                raise ValueError(f"confidence: row {row} is {self.confidence[row]}, expected 0…1")
        width = 0 if self.features is None else self.features.shape[1]
        if self.feature_names and len(self.feature_names) != width:
            raise ValueError(f"{len(self.feature_names)} feature_names for {width} features")
        return self

    def _outside(self, name: str, end: int | None) -> str | None:
        """Describe the first row of a column that is below 0 or not below `end`."""
        column = getattr(self, name)
        if column is None:
            return None
        outside = column < 0 if end is None else (column < 0) | (column >= end)
        if not outside.any():
            return None
        row, value = int(np.argwhere(outside)[0, 0]), column[outside][0]
        return f"{name}: row {row} is {value}, expected 0…{'' if end is None else end - 1}"

    def misfit(self, rows: int, classes: int) -> str | None:
        """Say in what the votes do not fit a dataset of so many samples and classes."""
        ends = {"item": rows, "selected": rows, "duplicates": rows, "label": classes}
        faults = (self._outside(name, end) for name, end in ends.items())
        return next((fault for fault in faults if fault), None)

    def __len__(self) -> int:
        return len(self.item)

    @property
    def raters(self) -> int:
        """How many raters there are, with those who are described and have not voted."""
        for name in _PER_RATER:
            if (described := getattr(self, name)) is not None:
                return len(described)
        return int(self.rater.max()) + 1 if len(self) else 0

    def take(self, votes: Array) -> "Votes":
        """Take some votes, by number or by a mask; the raters keep their numbers."""
        return self.replace(
            **{
                name: column[votes]
                for name in _PER_VOTE
                if (column := getattr(self, name)) is not None
            }
        )

    def given(self) -> "Votes":
        """Take the votes in which a rater names the sample's class: those that say yes."""
        return self if self.answer is None else self.take(self.answer == 1).replace(answer=None)

    def counts(self, rows: int, classes: int) -> NDArray[np.int64]:
        """Count how many raters give each sample each class: rows × classes int64."""
        given = self.given()
        places = given.item * classes + given.label
        return np.bincount(places, minlength=rows * classes).reshape(rows, classes)
