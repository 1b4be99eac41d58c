"""What people are told of each class: examples of all its forms, and what is taken for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, InputError
from adc_plugins_review.campaign.source import Source
from adc_plugins_review.choosing.choose_exemplars import choose_exemplars

_CONFUSED, _COUNTER_EXAMPLES = 2, 3
_VALUES = 5
"""Values of an attribute, and queries, that are named, the most frequent first."""

_FAIR_PART = 0.2
"""Of what the most frequent query brought."""


@dataclass(frozen=True)
class Example:
    """A sample that is shown.

    Attributes:
        row: of the dataset.
        id: the sample's.
        text: its attributes, or its title.
        credit: creator and license, where they are known.
    """

    row: int
    id: str
    text: str
    credit: str


@dataclass(frozen=True)
class ClassInstructions:
    """What is told of a class.

    Attributes:
        name: of the class.
        samples: how many carry the label.
        queries: what was searched for.
        attributes: name to the most frequent values.
        exemplars: samples that no detector doubts, of all forms that the class has.
        taken_for_it: other classes that it is confused with, and samples of theirs that look most
            like it.
    """

    name: str
    samples: int
    queries: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]]
    exemplars: tuple[Example, ...]
    taken_for_it: dict[str, tuple[Example, ...]]


def class_instructions(source: Source, most: int = 6, seed: int = 0) -> list[ClassInstructions]:
    """Choose what is told of every class of a review.

    Args:
        source: the samples under review; the dataset that they come from has features.
        most: exemplars of a class at most.
        seed: of what is drawn.

    Raises:
        InputError: there are no features to compare images by.
    """
    features = source.collected.features
    if features is None:
        raise InputError(
            "instructions compare images by features, and there are none: run with an encoder"
        )
    dataset = source.dataset
    rows = np.asarray(features[source.rows], np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
    doubted = _doubted(source)
    means = _means(rows, dataset.labels, len(dataset.classes), ~doubted)
    alike = _confusion(source, means)
    return [
        _of_class(dataset, k, rows, doubted, means, alike[k], most, seed) for k in _used(dataset)
    ]


def _doubted(source: Source) -> NDArray[np.bool_]:
    """Mark what a detector flags, and the more suspicious half of the rest of each class.

    The border of a class is where images lie that look most like another, and wrong labels too.
    """
    labels = source.dataset.labels
    doubted = np.zeros(len(labels), np.bool_)
    order = source.order
    if order is None:
        return doubted
    for found in source.findings.values():
        doubted |= found.flagged
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels))
    for k in _used(source.dataset):
        there = np.flatnonzero((labels == k) & ~doubted)
        most = there[np.argsort(rank[there])[: len(there) // 2]]
        doubted[most] = True
    return doubted


def _used(dataset: Dataset) -> list[int]:
    used: list[int] = np.flatnonzero(dataset.class_counts).tolist()
    return used


def _of_class(
    dataset: Dataset,
    k: int,
    rows: NDArray[np.float64],
    doubted: NDArray[np.bool_],
    means: NDArray[np.float64],
    alike: NDArray[np.float64],
    most: int,
    seed: int,
) -> ClassInstructions:
    own = dataset.labels == k
    sure = own & ~doubted
    chosen = choose_exemplars(rows, sure if sure.any() else own, most=most, seed=seed).rows
    likest = [
        int(other) for other in np.argsort(-alike, kind="stable") if np.isfinite(alike[other])
    ]
    taken = {
        dataset.classes[other]: _nearest(dataset, other, rows, doubted, means, k)
        for other in likest[:_CONFUSED]
    }
    return ClassInstructions(
        name=dataset.classes[k],
        samples=int(own.sum()),
        queries=_queries(dataset, own),
        attributes=_attributes(dataset, own),
        exemplars=tuple(_example(dataset, int(row)) for row in chosen),
        taken_for_it={name: examples for name, examples in taken.items() if examples},
    )


def _nearest(
    dataset: Dataset,
    other: int,
    rows: NDArray[np.float64],
    doubted: NDArray[np.bool_],
    means: NDArray[np.float64],
    k: int,
) -> tuple[Example, ...]:
    """Return samples of another class that nobody doubts, those first that look most like k."""
    there = np.flatnonzero((dataset.labels == other) & ~doubted)
    closeness = rows[there] @ (means[k] - means[other])
    nearest = there[np.argsort(-closeness, kind="stable")[:_COUNTER_EXAMPLES]]
    return tuple(_example(dataset, int(row)) for row in nearest)


def _confusion(source: Source, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how easily classes are confused: by noise matrices, else by their means."""
    transition = source.transition
    alike = means @ means.T if transition is None else np.array(transition, np.float64)
    alike = alike + alike.T
    np.fill_diagonal(alike, -np.inf)
    alike[:, source.dataset.class_counts == 0] = -np.inf
    return alike


def _means(
    rows: NDArray[np.float64],
    labels: NDArray[np.int64],
    classes: int,
    counted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    sums = np.zeros((classes, rows.shape[1]))
    np.add.at(sums, labels[counted], rows[counted])
    unit: NDArray[np.float64] = sums / np.maximum(
        np.linalg.norm(sums, axis=1, keepdims=True), 1e-300
    )
    return unit


def _queries(dataset: Dataset, own: NDArray[np.bool_]) -> tuple[str, ...]:
    if dataset.sources is None or "query" not in dataset.sources.column_names:
        return ()
    # Those that brought a fair part of the class; few brought what was labelled anew later.
    queries = dataset.sources["query"].take(np.flatnonzero(own)).to_pylist()
    texts = np.array([text or "" for text in queries])
    names, counts = np.unique(texts, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    often = [str(names[one]) for one in order if counts[one] >= _FAIR_PART * counts.max()]
    return tuple(name for name in often if name)[:_VALUES]


def _attributes(dataset: Dataset, own: NDArray[np.bool_]) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, column in dataset.attributes.items():
        values, counts = np.unique(column[own], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        found[name] = tuple(str(values[place]) for place in order[:_VALUES] if values[place])
    return {name: values for name, values in found.items() if values}


def _example(dataset: Dataset, row: int) -> Example:
    said = [str(column[row]) for column in dataset.attributes.values() if column[row]]
    source = {} if dataset.sources is None else dataset.sources.slice(row, 1).to_pylist()[0]
    credit = ", ".join(str(source[one]) for one in ("creator", "license") if source.get(one))
    text = ", ".join(said) or str(source.get("title") or "")
    return Example(row, str(dataset.ids[row]), text[:120], credit[:120])
