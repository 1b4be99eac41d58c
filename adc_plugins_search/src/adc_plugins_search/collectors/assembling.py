"""From outcomes to a dataset: everything in the order of the design, never of arrival.

Each hit ends either as a row of the dataset or as a row of the refusals; every hit of a picture
that is kept has its row among the hits.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from adc_core.dataset import Dataset
from adc_core.design import Design, Hit
from adc_core.image_shards import ImageShards
from adc_plugins_search.collectors.outcomes import Errand, Outcome, Reason, Refused, Stored
from adc_plugins_search.collectors.searching import Found
from adc_plugins_search.near_duplicates import GROUP, duplicate_groups

REFUSED = pa.schema(
    [(name, pa.string()) for name in ("url", "class", "engine", "query", "reason", "detail")]
)
HITS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "class", "attributes", "query", "engine")),
        ("rank", pa.int64()),
        *((name, pa.string()) for name in ("url", "page", "title", "relaxed")),
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
        ("relaxed", pa.string()),
        ("also_found_as", pa.string()),
    ]
)
NearDuplicates = Literal["keep", "first", "drop-conflicts"]


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
        groups: the first sample of each sample's near duplicates.
    """

    samples: list[Sample]
    refusals: list[tuple[Hit, Refused]]
    hits: list[tuple[Hit, Sample]]
    groups: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def reasons(self) -> Counter[str]:
        """How many hits were refused for each reason."""
        return Counter(refused.reason.value for _, refused in self.refusals)


def assemble(
    found: Sequence[Found],
    errands: Sequence[Errand | Refused],
    outcomes: Mapping[str, Outcome],
    near: NearDuplicates = "keep",
    bits: int = 3,
) -> Assembled:
    """Keep the first hit of each picture, and of near duplicates what is asked for.

    A picture that comes again, at the same or at another address, is a duplicate; where it comes
    for another class, the sample that is kept tells so, because that is a sign of a wrong label.

    Args:
        found: every hit, in order.
        errands: the errand of each hit, or why it has none.
        outcomes: what became of each errand, by its key.
        near: of near duplicates keep all, the first, or none where their classes differ.
        bits: in how many bits the perceptual hashes of near duplicates differ at most.
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
    return _without_near(Assembled(list(samples.values()), refusals, hits), near, bits)


def _without_near(assembled: Assembled, near: NearDuplicates, bits: int) -> Assembled:
    samples = assembled.samples
    groups = duplicate_groups([sample.stored.perceptual for sample in samples], bits)
    if near == "keep":
        return replace(assembled, groups=groups)
    labels = [sample.hit.query.class_name for sample in samples]
    if near == "first":
        dropped = groups != np.arange(len(groups))
    else:
        _, codes = np.unique(labels, return_inverse=True)
        lowest, highest = codes.copy(), codes.copy()
        np.minimum.at(lowest, groups, codes)
        np.maximum.at(highest, groups, codes)
        dropped = (lowest != highest)[groups]
    refusals, gone = list(assembled.refusals), set[str]()
    for row in np.flatnonzero(dropped).tolist():
        first, sample = samples[groups[row]], samples[row]
        if near == "first" and labels[row] != first.hit.query.class_name:
            first.other_classes.add(labels[row])
        detail = f"nearly the same as {first.hit.url}"
        refusals.append((sample.hit, Refused(Reason.NEAR_DUPLICATE, detail)))
        gone.add(sample.errand.key)
    left = np.flatnonzero(~dropped)
    place = np.full(len(groups), -1)
    place[left] = np.arange(len(left))
    return Assembled(
        [samples[row] for row in left.tolist()],
        refusals,
        [(hit, sample) for hit, sample in assembled.hits if sample.errand.key not in gone],
        place[groups[left]],
    )


def refused_table(assembled: Assembled) -> pa.Table:
    """One row per hit that is not in the dataset, in the order of the hits."""
    rows = [
        (hit.url, hit.query.class_name, hit.engine, hit.query.text, refused.reason, refused.detail)
        for hit, refused in assembled.refusals
    ]
    return _table(rows, REFUSED)


def hits_table(assembled: Assembled, design: Design) -> pa.Table:
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
            _relaxed(hit, design),
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
        sources=_table([_source(sample, place, design) for sample in samples], SOURCES),
        columns={GROUP: assembled.groups},
    )


def _relaxed(hit: Hit, design: Design) -> str | None:
    """The attributes that the query of the design names and the one that found it does not."""
    return ", ".join(name for name in design.attributes if name not in hit.query.attributes) or None


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


def _source(sample: Sample, place: Mapping[str, int], design: Design) -> tuple[object, ...]:
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
        _relaxed(hit, design),
        others or None,
    )


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = [[row[place] for row in rows] for place in range(len(schema))]
    return pa.Table.from_arrays(
        [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)],
        schema=schema,
    )
