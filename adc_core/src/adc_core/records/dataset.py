"""The dataset: labelled samples, keyed by id, with the evidence gathered about them."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, model_validator

from adc_core.arrays.strings import first_repeated, to_arrow
from adc_core.arrays.validation import CHECKED, Array, Labels, Matrix, Texts, read_only
from adc_core.images.sequence import ImageArray, Images
from adc_core.records.design import ClassName, distinct
from adc_core.records.display import ROWS, counted, table
from adc_core.records.evidence import Dynamics, Neighbors, Probabilities, UserColumn
from adc_core.records.labels import class_indices, number_of_classes
from adc_core.records.record import Record
from adc_core.records.votes import Votes

EVIDENCE = ("features", "neighbors", "probabilities", "dynamics", "votes")
"""The evidence columns that ADC knows by name."""

UNLABELED = "unlabeled"
"""The column of samples whose labels do not count: true where a curator has set one aside."""

LABEL_SETS, UNCLEAR_SETS = "label_sets", "unclear_sets"
"""Columns of N × K int8 in the order of the classes: which labels a sample has (1), has not (0), or
nobody judged (-1); and which of them reviewers could not decide."""

PROBLEMATIC = "problematic"
"""The column of samples that no label set does justice: N booleans."""

FROM_LABELS = ("probabilities", "dynamics")
"""Evidence that was computed from the labels and is void when they change."""


def _images(value: Any) -> Any:
    return ImageArray(value) if isinstance(value, np.ndarray) else value


def _probabilities(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"values": value, "origin": "out of sample"}
    return value


def _columns(value: Any) -> Any:
    if isinstance(value, Mapping):
        columns = {str(name): read_only(np.asarray(column)) for name, column in value.items()}
        for name, column in columns.items():
            if not column.ndim:
                raise ValueError(f"{name} is one value: give one per sample")
        return columns
    return value


def _row_numbers(labels: Array | None) -> Array:
    return read_only(np.arange(0 if labels is None else len(labels)).astype(np.str_))


def _class_numbers(labels: Array | None) -> tuple[str, ...]:
    return () if labels is None else tuple(map(str, range(number_of_classes(labels))))


_UNSEEN = PlainSerializer(lambda _: None, when_used="json")


class Dataset(Record):
    """Labelled samples and what is known about each, one row per sample.

    Attributes:
        labels: N int64 class indices, as given: some may be wrong. Names of classes are accepted.
        ids: N distinct texts; by default the row numbers.
        classes: K names; by default those that the labels are, sorted, or "0" … "K-1".
        images: N images, decoded when asked for, or None. A uint8 array is accepted.
        attributes: attribute name to N texts.
        sources: an Arrow table with one row of provenance per sample, or None.
        features: N × D float32 from a frozen encoder.
        neighbors: k-NN graph of the features.
        probabilities: N × K predictions; a bare array is taken to be out of sample.
        dynamics: training dynamics, per epoch.
        votes: what people said of the labels.
        columns: further columns of the user's own, N rows each.

    Raises:
        RecordErrors: a column of another length, type or range; it names the column,
            the first bad row and what was expected.
    """

    labels: Labels
    ids: Texts = Field(default_factory=lambda given: _row_numbers(given.get("labels")))
    classes: tuple[ClassName, ...] = Field(
        default_factory=lambda given: _class_numbers(given.get("labels"))
    )
    images: Annotated[Images | None, BeforeValidator(_images), _UNSEEN] = None
    attributes: dict[str, Texts] = Field(default_factory=dict)
    sources: Annotated[pa.Table | None, _UNSEEN] = None
    features: Matrix | None = None
    neighbors: Neighbors | None = None
    probabilities: Annotated[Probabilities | None, BeforeValidator(_probabilities)] = None
    dynamics: Dynamics | None = None
    votes: Votes | None = None
    columns: Annotated[dict[str, UserColumn], BeforeValidator(_columns), _UNSEEN] = Field(
        default_factory=dict
    )

    @model_validator(mode="before")
    @classmethod
    def _number_labels(cls, given: Any, info: ValidationInfo) -> Any:
        if not isinstance(given, Mapping) or "labels" not in given or info.context == CHECKED:
            return given
        classes = given.get("classes")
        if isinstance(classes, np.ndarray):
            given = {**given, "classes": (classes := classes.tolist())}
        listed = classes if isinstance(classes, list | tuple) else None
        labels, names = class_indices(given["labels"], listed)
        if names is None and "classes" not in given:
            number_of_classes(labels)  # before as many names are made
        return ({"classes": names} if names else {}) | {**given, "labels": labels}

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        rows, classes = len(self.ids), len(self.classes)
        if not rows:
            raise ValueError("the dataset is empty: it needs at least one sample")
        if classes < 2:
            raise ValueError(f"only {classes} class ({', '.join(self.classes)}): give at least two")
        distinct(self.classes, "class")
        for name, length in self._lengths():
            if length != rows:
                raise ValueError(f"{name} has {length} rows but ids have {rows}")
        outside = (self.labels < 0) | (self.labels >= classes)
        if outside.any():
            row = int(outside.argmax())
            raise ValueError(
                f"labels: row {row} (id {self.ids[row]}) is {self.labels[row]}, "
                f"expected 0…{classes - 1}"
            )
        if self.probabilities is not None and self.probabilities.values.shape[1] != classes:
            raise ValueError(
                f"probabilities have {self.probabilities.values.shape[1]} columns "
                f"but there are {classes} classes"
            )
        if self.votes is not None and (fault := self.votes.misfit(rows, classes)):
            raise ValueError(f"votes: {fault}")
        surely = info.context == CHECKED or "ids" not in self.model_fields_set
        if not surely and (again := first_repeated(self.ids)) is not None:
            raise ValueError(
                f"ids: duplicate id {self.ids[again]} in row {again}: make ids distinct"
            )
        return self

    def _lengths(self) -> list[tuple[str, int]]:
        lengths = [("labels", len(self.labels))]
        lengths += [(f"attribute {name}", len(column)) for name, column in self.attributes.items()]
        lengths += [(f"column {name}", len(column)) for name, column in self.columns.items()]
        for name in ("images", "sources", "features"):
            if (column := getattr(self, name)) is not None:
                lengths.append((name, len(column)))
        if self.neighbors is not None:
            lengths.append(("neighbors", len(self.neighbors.indices)))
        if self.probabilities is not None:
            lengths.append(("probabilities", len(self.probabilities.values)))
        if self.dynamics is not None:
            lengths.append(("dynamics", len(self.dynamics.loss)))
        return lengths

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        there = [
            name for name in ("images", "sources", *EVIDENCE) if getattr(self, name) is not None
        ]
        more = ", ".join((*there, *self.attributes, *self.columns))
        size = f"{counted(len(self), 'sample')}, {counted(len(self.classes), 'class')}"
        return f"<Dataset: {size}{f'; with {more}' if more else ''}>"

    def _repr_html_(self) -> str:
        most = np.argsort(-self.class_counts, kind="stable")[:ROWS]
        rows = [(self.classes[k], self.class_counts[k]) for k in most]
        return table(repr(self)[1:-1], ("class", "samples"), rows)

    @property
    def class_counts(self) -> Array:
        """K int64: how many samples carry each label."""
        return np.bincount(self.labels, minlength=len(self.classes))

    @property
    def labeled(self) -> Array:
        """N booleans: whether a sample's label counts, which it does unless it was set aside."""
        unlabeled = self.columns.get(UNLABELED)
        if unlabeled is None:
            return np.ones(len(self), np.bool_)
        return ~unlabeled.astype(np.bool_)

    def has(self, column: str) -> bool:
        """Tell whether an evidence column, or one of the user's own, is there."""
        return column in self.columns or (
            column in type(self).model_fields and getattr(self, column) is not None
        )

    def take(self, rows: Array) -> "Dataset":
        """Take some samples, in that order, with their votes and without the graph of all."""
        return self.replace(
            ids=self.ids[rows],
            labels=self.labels[rows],
            images=None if self.images is None else self.images.take(rows),
            attributes={name: column[rows] for name, column in self.attributes.items()},
            sources=None if self.sources is None else self.sources.take(pa.array(rows)),
            features=None if self.features is None else self.features[rows],
            neighbors=None,
            probabilities=None
            if self.probabilities is None
            else self.probabilities.replace(values=self.probabilities.values[rows]),
            dynamics=None if self.dynamics is None else _take_dynamics(self.dynamics, rows),
            votes=None if self.votes is None else _take_votes(self.votes, rows, len(self)),
            columns={name: column[rows] for name, column in self.columns.items()},
        )

    def relabeled(self, labels: Array) -> "Dataset":
        """Give the same samples other labels; evidence that came from the old ones is left out."""
        return self.replace(labels=labels, **dict.fromkeys(FROM_LABELS))


def rows_of(ids: Array, wanted: Array) -> Array:
    """Find the row among `ids` of each wanted id, -1 where it is absent."""
    import pyarrow.compute as pc

    found = pc.index_in(to_arrow(wanted), value_set=to_arrow(ids))
    return np.asarray(found.fill_null(-1), dtype=np.int64)


def _take_dynamics(dynamics: Dynamics, rows: Array) -> Dynamics:
    return dynamics.replace(**{name: getattr(dynamics, name)[rows] for name in dynamics.columns})


def _take_votes(votes: Votes, rows: Array, total: int) -> Votes:
    taken = np.arange(total)[rows]  # numbers, where a mask was given
    place = np.full(total, -1)
    place[taken] = np.arange(len(taken))
    kept = votes.take(place[votes.item] >= 0)
    selected = None if votes.selected is None else place[votes.selected]
    pairs = None if votes.duplicates is None else place[votes.duplicates]
    return kept.replace(
        item=place[kept.item],
        selected=None if selected is None else selected[selected >= 0],
        duplicates=None if pairs is None else pairs[(pairs >= 0).all(axis=1)],
    )
