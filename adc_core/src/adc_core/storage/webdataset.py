"""Reading tar shards that others made: WebDataset's, img2dataset's, and our own exports."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa

from adc_core.arrays.validation import Array
from adc_core.errors import InputError
from adc_core.images.sequence import SUFFIXES
from adc_core.images.shards import ImageShards
from adc_core.records.dataset import Dataset
from adc_core.records.labels import class_indices, number_of_classes
from adc_core.storage.splits import SPLIT, splits_of_shards

CLASSES = "classes.txt"
"""Beside the shards: a class name per line, in the order of their numbers."""


_MOST_BYTES = 1 << 20
"""What may accompany an image; a sparse member can claim any size."""


@dataclass
class _Found:
    """A sample of a shard: where its image is, and what accompanies it."""

    key: str
    shard: int
    place: tuple[int, int] | None = None
    number: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def read_shards(folder: Path) -> Dataset:
    """Read a folder of tar shards as one dataset; images stay where they are.

    The label of `KEY.jpg` is the number in `KEY.cls`, named by `classes.txt` if there is one, or
    `label` in `KEY.json`, whose other facts become sources. The column `split` comes from a fact
    `split` of every sample, or from names of shards such as `train-00000.tar`.

    Raises:
        InputError: a shard cannot be read, or a sample has no image or no label.
    """
    paths = sorted(folder.glob("*.tar"))
    samples = [sample for shard, path in enumerate(paths) for sample in _samples(shard, path)]
    for sample in samples:
        if sample.place is None:
            raise InputError(f"{paths[sample.shard]}: {sample.key} has no image: remove it")
    if not samples:
        raise InputError(f"{folder} holds no samples: its tar files have none")
    places = np.array([sample.place for sample in samples])
    images = ImageShards(
        folder,
        [path.name for path in paths],
        [sample.shard for sample in samples],
        places[:, 0],
        places[:, 1],
    )
    labels, classes = _labels(samples, folder, paths)
    ids = [sample.key for sample in samples]
    if len(set(ids)) < len(ids):
        ids = [f"{paths[sample.shard].stem}/{sample.key}" for sample in samples]
    splits = _splits(samples, paths)
    known = ("label",) if splits is None else ("label", SPLIT)
    facts = [
        {name: value for name, value in sample.facts.items() if name not in known}
        for sample in samples
    ]
    return Dataset(
        ids=ids,
        labels=labels,
        classes=classes,
        images=images,
        sources=_table_of(facts) if any(facts) else None,
        columns={} if splits is None else {SPLIT: splits},
    )


def _table_of(facts: list[dict[str, Any]]) -> pa.Table:
    """Make a column for every fact that some sample has; facts of mixed types become strings."""
    columns = {}
    for name in dict.fromkeys(name for one in facts for name in one):
        values = [one.get(name) for one in facts]
        try:
            columns[name] = pa.array(values)
        except pa.ArrowException:
            columns[name] = pa.array([None if value is None else str(value) for value in values])
    return pa.table(columns)


def _splits(samples: list[_Found], paths: list[Path]) -> Array | None:
    """Return each sample's split, if every sample or every shard's name gives one."""
    stated = [sample.facts.get(SPLIT) for sample in samples]
    if all(isinstance(name, str) for name in stated):
        return np.asarray(stated, dtype=np.str_)
    by_shard = splits_of_shards([path.stem for path in paths])
    return None if by_shard is None else by_shard[[sample.shard for sample in samples]]


def _samples(shard: int, path: Path) -> Iterator[_Found]:
    """Group members that follow one another and share a name up to its first dot."""
    present: _Found | None = None
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                within = PurePosixPath(member.name)
                stem, _, suffix = within.name.partition(".")
                key = str(within.with_name(stem))
                if present is None or present.key != key:
                    if present is not None:
                        yield present
                    present = _Found(key, shard)
                if f".{suffix.lower()}" in SUFFIXES:
                    present.place = (member.offset_data, member.size)
                elif suffix in ("cls", "json"):
                    if member.size > _MOST_BYTES:
                        raise ValueError(f"{member.name} has {member.size:,} bytes")
                    file = archive.extractfile(member)
                    assert file is not None
                    _note(present, suffix, file.read())
    except (tarfile.TarError, OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as tar shard ({error}): replace it") from None
    if present is not None:
        yield present


def _note(sample: _Found, suffix: str, content: bytes) -> None:
    if suffix == "cls":
        sample.number = int(content)
        return
    facts = json.loads(content)
    if isinstance(facts, dict):
        sample.facts = {
            name: value if isinstance(value, str | int | float | None) else json.dumps(value)
            for name, value in facts.items()
        }


def _lines(path: Path) -> list[str]:
    """Split a text at `\n` alone: a name may hold what Python alone takes for a line's end."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _labels(
    samples: list[_Found], folder: Path, paths: list[Path]
) -> tuple[list[int] | Array, tuple[str, ...]]:
    listed = folder / CLASSES
    classes = _lines(listed) if listed.is_file() else None
    numbers = [sample.number for sample in samples]
    if None not in numbers and classes is not None:
        known = [number for number in numbers if number is not None]
        if not 0 <= min(known) <= max(known) < len(classes):
            raise InputError(f"{listed} names {len(classes)} classes: name all of .cls")
        return known, tuple(classes)
    names = []
    for sample in samples:
        name = sample.facts.get("label", sample.number)
        if name is None or name == "":
            raise InputError(
                f"{paths[sample.shard]}: {sample.key} has no label: give it {sample.key}.cls, or "
                f"label in {sample.key}.json"
            )
        names.append(name)
    if all(isinstance(name, int) for name in names):
        labels, _ = class_indices(names)
        return labels, tuple(map(str, range(number_of_classes(labels, f"{folder}: labels"))))
    texts = [str(name) for name in names]
    found = sorted(set(texts))
    place = {name: number for number, name in enumerate(found)}
    return [place[name] for name in texts], tuple(found)
