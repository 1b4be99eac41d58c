"""From outcomes to a dataset: everything in the order of the design, never of arrival.

Each hit ends either as a row of the dataset or as a row of the refusals; every hit of a picture
that is kept has its row among the hits.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from adc_core.dataset import Dataset
from adc_core.design import Design, Hit
from adc_core.image_shards import ImageShards
from adc_plugins_search.collectors.outcomes import Errand, Outcome, Reason, Refused, Stored
from adc_plugins_search.collectors.searching import Found

REFUSED = pa.schema(
    [(name, pa.string()) for name in ("url", "class", "engine", "query", "reason", "detail")]
)
HITS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "class", "attributes", "query", "engine")),
        ("rank", pa.int64()),
        *((name, pa.string()) for name in ("url", "page", "title")),
    ]
)
SOURCES = pa.schema(
    [
        ("url", pa.string()),
        ("final_url", pa.string()),
        ("page", pa.string()),
        ("title", pa.string()),
        ("engine", pa.string()),
        ("query", pa.string()),
        ("rank", pa.int64()),
        ("licence", pa.string()),
        ("licence_url", pa.string()),
        ("creator", pa.string()),
        ("creator_url", pa.string()),
        ("attribution", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("format", pa.string()),
        ("mode", pa.string()),
        ("bytes", pa.int64()),
        ("stored_bytes", pa.int64()),
        ("sha256", pa.string()),
        ("stored_sha256", pa.string()),
        ("signals", pa.string()),
        ("also_found_as", pa.string()),
    ]
)


@dataclass(frozen=True)
class Sample:
    """A picture that is kept, with the other classes for which it was found."""

    hit: Hit
    errand: Errand
    stored: Stored
    other_classes: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Assembled:
    """The samples that are kept, and what became of every other hit.

    Attributes:
        samples: the kept ones, each with the first hit of its picture.
        refusals: each hit that is no sample, and why.
        hits: each hit of a picture that is kept, with the sample that shows it.
    """

    samples: list[Sample]
    refusals: list[tuple[Hit, Refused]]
    hits: list[tuple[Hit, Sample]]

    @property
    def reasons(self) -> Counter[str]:
        """How many hits were refused for each reason."""
        return Counter(refused.reason.value for _, refused in self.refusals)


def assemble(
    found: Sequence[Found],
    errands: Sequence[Errand | Refused],
    outcomes: Mapping[str, Outcome],
) -> Assembled:
    """Keep the first hit of each picture.

    A picture that comes again, at the same or at another address, is a duplicate; where it comes
    for another class, the sample that is kept tells so, because that is a sign of a wrong label.

    Args:
        found: every hit, in order.
        errands: the errand of each hit, or why it has none.
        outcomes: what became of each errand, by its key.
    """
    samples: dict[str, Sample] = {}
    refusals: list[tuple[Hit, Refused]] = []
    hits: list[tuple[Hit, Sample]] = []
    for each, errand in zip(found, errands, strict=True):
        hit = each.hit
        if isinstance(errand, Refused):
            refusals.append((hit, errand))
            continue
        outcome = outcomes[errand.key]
        if isinstance(outcome, Refused):
            refusals.append((hit, outcome))
            continue
        first = samples.setdefault(outcome.stored_sha256, Sample(hit, errand, outcome))
        hits.append((hit, first))
        if first.hit is not hit:
            refusals.append((hit, Refused(Reason.DUPLICATE, f"same picture as {first.hit.url}")))
            if hit.query.class_name != first.hit.query.class_name:
                first.other_classes.add(hit.query.class_name)
    return Assembled(list(samples.values()), refusals, hits)


def refused_table(assembled: Assembled) -> pa.Table:
    """One row per hit that is not in the dataset, in the order of the hits."""
    rows = [
        (hit.url, hit.query.class_name, hit.engine, hit.query.text, refused.reason, refused.detail)
        for hit, refused in assembled.refusals
    ]
    return _table(rows, REFUSED)


def hits_table(assembled: Assembled) -> pa.Table:
    """One row per picture that is kept and query that found it, in the order of the hits.

    A picture that was found under two classes has rows of both: the cheapest sign of a wrong label.
    `attributes` is a JSON object.
    """
    rows = [
        (
            sample.errand.key,
            hit.query.class_name,
            json.dumps(hit.query.attributes, ensure_ascii=False),
            hit.query.text,
            hit.engine,
            hit.rank,
            hit.url,
            hit.page,
            hit.title,
        )
        for hit, sample in assembled.hits
    ]
    return _table(rows, HITS)


def dataset_of(assembled: Assembled, design: Design, folder: Path) -> Dataset:
    """The dataset of the samples that were kept.

    Args:
        assembled: the samples.
        design: gives the classes and the attributes.
        folder: holds the shards.
    """
    samples = assembled.samples
    queries = [sample.hit.query for sample in samples]
    place = {name: number for number, name in enumerate(design.classes)}
    return Dataset(
        ids=np.array([sample.errand.key for sample in samples]),
        labels=np.array([place[query.class_name] for query in queries]),
        classes=design.classes,
        images=_images([sample.stored for sample in samples], folder),
        attributes={
            name: np.array([query.attributes.get(name, "") for query in queries])
            for name in design.attributes
        },
        sources=_table([_source(sample, place) for sample in samples], SOURCES),
    )


def _images(stored: Sequence[Stored], folder: Path) -> ImageShards:
    names = sorted({each.shard for each in stored})
    number = {name: place for place, name in enumerate(names)}
    return ImageShards(
        folder,
        names,
        [number[each.shard] for each in stored],
        [each.offset for each in stored],
        [each.stored_size for each in stored],
        [each.stored_sha256 for each in stored],
    )


def _source(sample: Sample, place: Mapping[str, int]) -> tuple[object, ...]:
    hit, stored = sample.hit, sample.stored
    # No class name holds a slash.
    others = "/".join(sorted(sample.other_classes, key=place.__getitem__))
    return (
        hit.url,
        stored.final_url,
        hit.page,
        hit.title,
        hit.engine,
        hit.query.text,
        hit.rank,
        hit.licence,
        hit.licence_url,
        hit.creator,
        hit.creator_url,
        hit.attribution,
        stored.width,
        stored.height,
        stored.format,
        stored.mode,
        stored.size,
        stored.stored_size,
        stored.sha256,
        stored.stored_sha256,
        stored.signals or None,
        others or None,
    )


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = [[row[place] for row in rows] for place in range(len(schema))]
    return pa.Table.from_arrays(
        [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)],
        schema=schema,
    )
