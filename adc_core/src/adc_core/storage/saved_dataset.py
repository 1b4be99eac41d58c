"""The saved form of a dataset: a Parquet table of samples, one `.npy` file per array, the images.

`dataset.json` says what is there, `SHA256SUMS` what it must contain. Arrays are memory-mapped
when read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adc_core.arrays.hashing import save_array
from adc_core.arrays.strings import from_arrow, to_arrow
from adc_core.arrays.validation import CHECKED, Array
from adc_core.errors import WorkError
from adc_core.images.sequence import ImageArray, ImageFiles, Images, save_encoded
from adc_core.images.shards import ImageShards
from adc_core.records.dataset import EVIDENCE, Dataset
from adc_core.records.evidence import Dynamics, Neighbors, Probabilities
from adc_core.records.record import Record
from adc_core.records.votes import Votes
from adc_core.storage.atomic import atomic_folder, refuse_existing, write_json
from adc_core.storage.checksums import verify_checksums, write_checksums

HEADER = "dataset.json"
_SAMPLES = "samples.parquet"
_RECORDS: dict[str, type[Record]] = {
    "neighbors": Neighbors,
    "probabilities": Probabilities,
    "dynamics": Dynamics,
    "votes": Votes,
}


def save_dataset(dataset: Dataset, folder: Path | str) -> None:
    """Write everything into a new folder, whole or not at all; `read_dataset` reads it.

    Raises:
        InputError: the folder exists and is not empty.
        WorkError: it cannot be written.
    """
    folder = Path(folder)
    refuse_existing(folder)
    with atomic_folder(folder, folder.with_name(f".{folder.name}.part")) as part:
        write_checksums(part, write_dataset(dataset, part))


def write_dataset(dataset: Dataset, folder: Path, *, link: bool = False) -> dict[str, str]:
    """Write a dataset into an empty folder; return the sums of files that are known already.

    Args:
        dataset: what to write.
        folder: where.
        link: share the bytes of image files that nobody else changes.
    """
    images = dataset.images
    table = {"id": to_arrow(dataset.ids), "label": pa.array(dataset.labels)}
    table |= {f"attribute.{name}": to_arrow(texts) for name, texts in dataset.attributes.items()}
    sums: dict[str, str] = {}
    if isinstance(images, ImageFiles):
        paths = images.save(folder / "images", link=link)
        table["path"] = pa.array(paths, pa.string())
        sums = {f"images/{p}": s for p, s in zip(paths, images.sums, strict=True)}
    elif isinstance(images, ImageShards):
        images.save(folder / "images", link=link)
    elif isinstance(images, ImageArray):
        save_array(images.array, folder / "images.npy")
        sums["images.npy"] = images.fingerprint
    elif images is not None:
        table["path"] = pa.array(save_encoded(images, folder / "images"), pa.string())
    if dataset.sources is not None:
        for name in dataset.sources.column_names:
            table[f"source.{name}"] = dataset.sources[name]
    pq.write_table(pa.table(table), folder / _SAMPLES)
    header = {
        "format": 1,
        "classes": list(dataset.classes),
        "attributes": list(dataset.attributes),
        "sources": dataset.sources is not None,
        "images": _kind_of(images),
        "columns": list(dataset.columns),
        "evidence": write_evidence(dataset, EVIDENCE, folder, sums),
    }
    for name, column in dataset.columns.items():
        save_array(column, folder / f"column.{name}.npy")
    write_json(folder / HEADER, header)
    return sums


def write_evidence(
    record: Record, names: tuple[str, ...], folder: Path, sums: dict[str, str]
) -> dict[str, Any]:
    """Write evidence columns of a record; describe them, and note the sums of their files."""
    described: dict[str, Any] = {}
    for name in names:
        value = getattr(record, name)
        if value is None:
            continue
        described[name] = {}
        if not isinstance(value, Record):
            save_array(value, folder / f"{name}.npy")
            sums[f"{name}.npy"] = record.field_fingerprint(name)
            continue
        for field in type(value).model_fields:
            part = getattr(value, field)
            if isinstance(part, np.ndarray):
                save_array(part, folder / f"{name}.{field}.npy")
                sums[f"{name}.{field}.npy"] = value.field_fingerprint(field)
            else:
                described[name][field] = part
    return described


def read_evidence(
    folder: Path, described: Mapping[str, Any], sums: Mapping[str, str]
) -> dict[str, Any]:
    """Read evidence columns from a folder whose files were checked."""
    evidence: dict[str, Any] = {}
    for name, scalars in described.items():
        if name == "features":
            evidence[name] = load_array(folder / "features.npy")
            continue
        record = _RECORDS[name]
        # A field that the writer did not know yet has no file: it takes its default.
        arrays = [field for field in record.model_fields if f"{name}.{field}.npy" in sums]
        loaded = {field: load_array(folder / f"{name}.{field}.npy") for field in arrays}
        known = {field: sums[f"{name}.{field}.npy"] for field in arrays}
        evidence[name] = record.model_validate(loaded | scalars, context=CHECKED).remember(known)
    return evidence


def read_saved(folder: Path) -> Dataset:
    """Read a saved dataset; every byte is checked against its sum.

    Raises:
        WorkError: a file is missing or damaged; the message names it.
    """
    return load_dataset(folder, verify_checksums(folder))


def load_dataset(folder: Path, sums: Mapping[str, str]) -> Dataset:
    """Read a saved dataset whose files were checked against these sums.

    Raises:
        WorkError: the files are whole but not a dataset of this version.
    """
    try:
        header = json.loads((folder / HEADER).read_text(encoding="utf-8"))
        samples = pq.read_table(folder / _SAMPLES)
        columns = {name: load_array(folder / f"column.{name}.npy") for name in header["columns"]}
        evidence = read_evidence(folder, header["evidence"], sums)
        images = _read_images(folder, header["images"], samples, sums)
        sources = [name for name in samples.column_names if name.startswith("source.")]
        fields = {
            "labels": samples["label"].to_numpy(),
            "ids": from_arrow(samples["id"]),
            "classes": tuple(header["classes"]),
            "images": images,
            "attributes": {
                name: from_arrow(samples[f"attribute.{name}"]) for name in header["attributes"]
            },
            "columns": columns,
        }
        if header["sources"]:
            names = [name.removeprefix("source.") for name in sources]
            fields["sources"] = samples.select(sources).rename_columns(names)
        dataset = Dataset.model_validate(fields | evidence, context=CHECKED)
    except (KeyError, OSError, ValueError) as error:
        raise WorkError(f"{folder} does not hold a dataset of this version: {error}") from error
    known = {"features": sums["features.npy"]} if "features" in evidence else {}
    return dataset.remember(known)


def _kind_of(images: Images | None) -> str | None:
    """Choose how images are saved: those of a kind that is not known here become files."""
    if images is None:
        return None
    known = (ImageArray, ImageFiles, ImageShards)
    return next((kind.__name__ for kind in known if isinstance(images, kind)), "ImageFiles")


def _read_images(
    folder: Path, kind: str | None, samples: pa.Table, sums: Mapping[str, str]
) -> Images | None:
    if kind == "ImageArray":
        return ImageArray(load_array(folder / "images.npy"))
    if kind == "ImageFiles":
        files = ImageFiles(folder / "images", from_arrow(samples["path"]))
        files.__dict__["sums"] = [sums[f"images/{path}"] for path in files.paths.tolist()]
        return files
    if kind == "ImageShards":
        return ImageShards.load(folder / "images")
    return None


def load_array(path: Path) -> Array:
    """Memory-map a `.npy` file; nothing pickled is ever read."""
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array
