"""What a collection brought, and what it did not: by query, attribute, reason and license."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from adc_core.components.interfaces import REFUSED
from adc_core.records.dataset import Dataset
from adc_core.records.design import Design


@dataclass(frozen=True)
class Yield:
    """What the queries of one kind brought.

    Attributes:
        name: of the kind: a class, or the value of an attribute.
        queries: how many there are.
        images: that were kept.
        without_results: queries of which no image was kept.
    """

    name: str
    queries: int
    images: int
    without_results: int


@dataclass(frozen=True)
class Refusal:
    """Why images were refused.

    Attributes:
        reason: one of the collector's.
        count: how many.
        example: what exactly was met, once.
    """

    reason: str
    count: int
    example: str


@dataclass(frozen=True)
class CollectionSummary:
    """A finished collection in figures.

    Attributes:
        yields: class and attribute to what each value brought.
        without_results: the texts of the queries of which no image was kept.
        refusals: the most frequent reason first.
        licenses: license to images, the most frequent first; "unknown" where nobody said.
        engines: search engine to images, likewise.
    """

    yields: dict[str, list[Yield]]
    without_results: list[str]
    refusals: list[Refusal]
    licenses: list[tuple[str, int]]
    engines: list[tuple[str, int]]


def summarize(design: Design, dataset: Dataset, folder: Path) -> CollectionSummary:
    """Count what a collection brought.

    Args:
        design: the queries.
        dataset: what was kept.
        folder: of the finished stage, which holds the refusals.
    """
    images = _counts(dataset, "query")
    queries: dict[str, dict[str, list[int]]] = {"class": {}}
    for query in design.queries:
        for kind, value in {"class": query.class_name, **query.attributes}.items():
            queries.setdefault(kind, {}).setdefault(value, []).append(images[query.text])
    kept = {
        "class": Counter(dict(zip(dataset.classes, dataset.class_counts.tolist(), strict=True)))
    }
    for kind, values in dataset.attributes.items():
        names, counts = np.unique(values, return_counts=True)
        kept[kind] = Counter(dict(zip(names.tolist(), counts.tolist(), strict=True)))
    return CollectionSummary(
        yields={
            kind: [
                Yield(value, len(found), kept[kind][value], found.count(0))
                for value, found in of_kind.items()
            ]
            for kind, of_kind in queries.items()
        },
        without_results=[query.text for query in design.queries if not images[query.text]],
        refusals=_refusals(folder / REFUSED),
        licenses=_counts(dataset, "license").most_common(),
        engines=_counts(dataset, "engine").most_common(),
    )


def _refusals(path: Path) -> list[Refusal]:
    if not path.exists():
        return []
    table = pq.read_table(path, columns=["reason", "detail"])
    counts = table.group_by("reason", use_threads=False).aggregate(
        [("reason", "count"), ("detail", "first")]
    )
    found = [
        Refusal(row["reason"], row["reason_count"], row["detail_first"] or "")
        for row in counts.to_pylist()
    ]
    return sorted(found, key=lambda refusal: (-refusal.count, refusal.reason))


def _counts(dataset: Dataset, column: str) -> Counter[str]:
    """Count the samples with each value of a column of the sources."""
    if dataset.sources is None or column not in dataset.sources.column_names:
        return Counter({"unknown": len(dataset)})
    counts: Counter[str] = Counter()
    for each in dataset.sources[column].value_counts().to_pylist():
        counts[each["values"] or "unknown"] += each["counts"]
    return counts
