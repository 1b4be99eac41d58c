"""From outcomes to tables and a dataset: everything in the order of the design, never of arrival.

Each hit ends either as a row of the dataset or as a row of the refusals; every hit of an image
that is kept has its row among the hits. Rows go out in batches, so that a million of them need no
more memory than the dataset itself.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adc_core import Dataset, Design, Hit, ImageShards
from adc_core.arrays import from_arrow
from adc_core.components import HITS, REFUSED
from adc_core.images import GROUP
from adc_plugins_search.download.outcomes import Reason, Refused, Stored
from adc_plugins_search.download.results.arrow_tables import RowBatches, table_file, take_table
from adc_plugins_search.download.results.deduplicate import Deduplication, HitOutcome
from adc_plugins_search.download.web_address import parse_url

_SAMPLES = "samples.arrow"
_REFUSED = pa.schema(
    [(name, pa.string()) for name in ("url", "class", "engine", "query", "reason", "detail")]
)
_HITS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "class", "attributes", "query", "engine")),
        ("rank", pa.int64()),
        *((name, pa.string()) for name in ("url", "page", "title", "relaxed")),
    ]
)
_SOURCES = pa.schema(
    [
        ("url", pa.string()),
        ("final_url", pa.string()),
        ("page", pa.string()),
        ("title", pa.string()),
        ("engine", pa.string()),
        ("query", pa.string()),
        ("rank", pa.int64()),
        ("license", pa.string()),
        ("license_url", pa.string()),
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
_STORED_AT = pa.schema(
    [("id", pa.string()), ("label", pa.int64()), ("shard", pa.string()), ("offset", pa.int64())]
)


@dataclass(frozen=True)
class CollectionTables:
    """What became of all hits.

    Attributes:
        samples: one row for each image that is kept: its place, sources and attributes.
        reasons: how many hits were refused for each reason.
        example: the address and the refusal of the first of them.
    """

    samples: pa.Table
    reasons: Counter[Reason]
    example: tuple[str, Refused] | None


def write_tables(
    hit_outcomes: Iterable[HitOutcome], deduplication: Deduplication, design: Design, folder: Path
) -> CollectionTables:
    """Write the tables of hits and refusals, and give the samples that are kept.

    `refused.parquet` has a row for each hit that is no sample. `hits.parquet` has a row for each
    hit of an image that is kept, all under the id of its first hit: an image that was found for
    two classes has rows of both, which is the cheapest sign of a wrong label. Its `attributes` are
    a JSON object. Both are in the order of the hits.

    Args:
        hit_outcomes: every hit, in order.
        deduplication: of the same hits.
        design: gives the classes and the attributes.
        folder: where the tables go.

    Raises:
        WorkError: they cannot be written.
    """
    attributes = [(_column(name), pa.string()) for name in design.attributes]
    schema = pa.unify_schemas([_STORED_AT, _SOURCES, pa.schema(attributes)])
    with (
        table_file(folder / _SAMPLES, schema) as samples,
        table_file(folder / HITS, _HITS) as hits,
        table_file(folder / REFUSED, _REFUSED) as refused,
    ):
        writer = _TableWriter(deduplication, design, samples, hits, refused)
        for number, each in enumerate(hit_outcomes):
            writer.add(number, each)
    return CollectionTables(take_table(folder / _SAMPLES), writer.reasons, writer.example)


class _TableWriter:
    """Writes each hit down where it belongs."""

    def __init__(
        self,
        deduplication: Deduplication,
        design: Design,
        samples: RowBatches,
        hits: RowBatches,
        refused: RowBatches,
    ) -> None:
        self.reasons: Counter[Reason] = Counter()
        self.example: tuple[str, Refused] | None = None
        self._deduplication = deduplication
        self._design = design
        self._samples = samples
        self._hits = hits
        self._refused = refused
        self._class_number = {name: number for number, name in enumerate(design.classes)}
        self._is_cited = deduplication.hits > 1
        self._is_cited[deduplication.group[~deduplication.kept]] = True
        self._first_hits: dict[int, tuple[str, str]] = {}

    def add(self, number: int, hit_outcome: HitOutcome) -> None:
        """Write down a hit; the numbers begin at 0 and go up by one."""
        hit, key, outcome = hit_outcome
        if isinstance(outcome, Refused):
            self._refuse(hit, outcome)
            return
        deduplication, image = self._deduplication, int(self._deduplication.image[number])
        is_first = number == deduplication.first[image]
        if is_first and self._is_cited[image]:
            self._first_hits[image] = _address(hit), key
        url, sample = self._first_hits.get(image) or (_address(hit), key)
        if deduplication.kept[image]:
            self._hits.add(_hit_row(sample, hit, self._design))
        if not is_first:
            self._refuse(hit, Refused(Reason.DUPLICATE, f"same image as {url}"))
        elif deduplication.kept[image]:
            self._samples.add(self._sample_row(hit, key, outcome, image))
        else:
            first = int(deduplication.group[image])
            detail = f"nearly the same as {self._first_hits[first][0]}"
            if first == image:
                detail = "images of another class are nearly the same"
            self._refuse(hit, Refused(Reason.NEAR_DUPLICATE, detail))

    def _refuse(self, hit: Hit, refused: Refused) -> None:
        self.reasons[refused.reason] += 1
        self.example = self.example or (hit.url, refused)
        query = hit.query
        self._refused.add(
            (hit.url, query.class_name, hit.engine, query.text, refused.reason, refused.detail)
        )

    def _sample_row(self, hit: Hit, key: str, stored: Stored, image: int) -> tuple[object, ...]:
        others = sorted(
            self._deduplication.other_classes.get(image, ()), key=self._class_number.__getitem__
        )
        place = key, self._class_number[hit.query.class_name], stored.shard, stored.offset
        values = (hit.query.attributes.get(name, "") for name in self._design.attributes)
        return (*place, *_source(hit, stored, others, self._design), *values)


def build_dataset(
    samples: pa.Table, deduplication: Deduplication, design: Design, folder: Path
) -> Dataset:
    """Return the dataset of the samples that were kept.

    Args:
        samples: the table of the samples that are kept.
        deduplication: by which they were chosen.
        design: gives the classes and the attributes.
        folder: holds the shards.
    """
    names = pc.unique(samples["shard"]).sort()
    return Dataset(
        ids=from_arrow(samples["id"]),
        labels=samples["label"].to_numpy(),
        classes=design.classes,
        images=ImageShards(
            folder,
            names.to_pylist(),
            pc.index_in(samples["shard"], value_set=names).to_numpy(),
            samples["offset"].to_numpy(),
            samples["stored_bytes"].to_numpy(),
            _digits(samples["stored_sha256"]),
        ),
        attributes={name: from_arrow(samples[_column(name)]) for name in design.attributes},
        sources=samples.select(_SOURCES.names),
        columns={GROUP: deduplication.group_of_kept},
    )


def _digits(sums: pa.ChunkedArray) -> NDArray[np.bytes_]:
    """Return N sums, a quarter of the size that they have as texts."""
    digits = np.empty(len(sums), "S64")
    row = 0
    for part in sums.chunks:
        digits[row : row + len(part)] = from_arrow(part)
        row += len(part)
    return digits


def _column(attribute: str) -> str:
    return f"attribute.{attribute}"


def _relaxed(hit: Hit, design: Design) -> str | None:
    """Return the attributes that the design's query names and the relaxed one does not."""
    return ", ".join(name for name in design.attributes if name not in hit.query.attributes) or None


def _address(hit: Hit) -> str:
    """Return the address that was asked for, as the id was made of it."""
    return hit.url if hit.url.startswith("file:") else str(parse_url(hit.url))


def _hit_row(key: str, hit: Hit, design: Design) -> tuple[object, ...]:
    return (
        key,
        hit.query.class_name,
        json.dumps(hit.query.attributes, ensure_ascii=False),
        hit.query.text,
        hit.engine,
        hit.rank,
        _address(hit),
        hit.page,
        hit.title,
        _relaxed(hit, design),
    )


def _source(hit: Hit, stored: Stored, others: list[str], design: Design) -> tuple[object, ...]:
    return (
        _address(hit),
        stored.final_url,
        hit.page,
        hit.title,
        hit.engine,
        hit.query.text,
        hit.rank,
        hit.license,
        hit.license_url,
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
        "/".join(others) or None,  # no class name holds a slash
    )
