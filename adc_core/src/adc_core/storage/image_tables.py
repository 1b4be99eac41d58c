"""Reading Parquet files with images in them: Hugging Face's, and our own exports."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adc_core.arrays.strings import are_distinct, from_arrow
from adc_core.errors import InputError
from adc_core.images.tables import ImageTables
from adc_core.records.dataset import Dataset
from adc_core.storage.splits import SPLIT, are_splits
from adc_core.storage.tables import labels_of


def image_tables_in(folder: Path) -> list[Path]:
    """List a folder's Parquet files with images, in `data/` or beside one another; or none."""
    for place in (folder / "data", folder):
        found = sorted(place.glob("*.parquet"))
        if found and image_column(found[0]) is not None:
            return [path for path in found if image_column(path) is not None]
    return []


def image_column(path: Path) -> str | None:
    """Find the first column of a Parquet file that holds images; None where there is none."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException):
        return None
    return next((field.name for field in schema if _is_image(field.type)), None)


def read_image_tables(root: Path, paths: Sequence[Path]) -> Dataset:
    """Read Parquet files with images as one dataset; the images stay where they are.

    The label is the column `label`, or the only other one that is a `ClassLabel`; its names come
    from what `datasets` notes in the file. Ids are the column `id`, else the images' paths where
    these are distinct. Files named `train-…`, `test-…` are splits. Other columns become sources.

    Args:
        root: the folder that the dataset's images are relative to.
        paths: of the files, below the root.

    Raises:
        InputError: a file cannot be read, or has no such column.
    """
    column = image_column(paths[0]) or ""
    try:
        tables = [_without_bytes(path, column) for path in paths]
        table = pa.concat_tables(tables, promote_options="default")
        images = _images(root, paths, column)
    except (OSError, pa.ArrowException, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{root}: its Parquet files do not go together: {reason}") from None
    features = _features(pq.read_schema(paths[0]))
    label = _label_column(table, features, paths[0])
    labels, classes = _labels(table[label], features.get(label, {}).get("names"), paths[0])
    names = [path.stem.partition("-")[0] for path in paths]
    splits = np.repeat(names, [len(one) for one in tables]) if are_splits(names) else None
    attributes = [name for name in table.column_names if name.startswith(_ATTRIBUTE)]
    known = ("id", label, _PATH, *attributes)
    rest = [name for name in table.column_names if name not in known]
    given: dict[str, Any] = {} if (ids := _ids(table)) is None else {"ids": ids}
    return Dataset(
        labels=labels,
        classes=classes,
        images=images,
        attributes={name.removeprefix(_ATTRIBUTE): from_arrow(table[name]) for name in attributes},
        sources=table.select(rest) if rest else None,
        columns={} if splits is None else {SPLIT: splits},
        **given,
    )


_ATTRIBUTE = "attribute."
_PATH = "image path"
"""What the field `path` of the images is called here: no column's name of a file of ours."""


def _is_image(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind):
        return False
    names = {field.name: field.type for field in kind}
    return "bytes" in names and (
        pa.types.is_binary(names["bytes"]) or pa.types.is_large_binary(names["bytes"])
    )


def _without_bytes(path: Path, column: str) -> pa.Table:
    """Read all columns of a file, of its images only the paths."""
    schema = pq.read_schema(path)
    plain = [field.name for field in schema if not _is_image(field.type)]
    inner = {field.name for field in schema.field(column).type}
    chosen = [*plain, f"{column}.path"] if "path" in inner else plain
    with pq.ParquetFile(path) as file:
        table = file.read(columns=chosen).replace_schema_metadata(None)
    if "path" in inner:
        paths = pc.struct_field(table[column], "path")
        table = table.drop_columns([column]).append_column(_PATH, paths)
    return table


def _images(root: Path, paths: Sequence[Path], column: str) -> ImageTables:
    file, group, place = [], [], []
    for number, path in enumerate(paths):
        metadata = pq.read_metadata(path)
        for one in range(metadata.num_row_groups):
            rows = metadata.row_group(one).num_rows
            file.append(np.full(rows, number))
            group.append(np.full(rows, one))
            place.append(np.arange(rows))
    names = [path.relative_to(root).as_posix() for path in paths]
    return ImageTables(
        root, names, column, *(np.concatenate(part) for part in (file, group, place))
    )


def _features(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """Read what `datasets` notes of the columns; nothing where others wrote the file."""
    try:
        noted = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = noted["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return {name: one for name, one in features.items() if isinstance(one, dict)}


def _label_column(table: pa.Table, features: dict[str, dict[str, Any]], path: Path) -> str:
    if "label" in table.column_names:
        return "label"
    labels = [name for name, one in features.items() if one.get("_type") == "ClassLabel"]
    if len(labels) != 1:
        found = ", ".join(name for name in table.column_names if name != _PATH)
        raise InputError(f"{path} has no column `label`; it has {found or 'images alone'}")
    return labels[0]


def _labels(column: pa.ChunkedArray, names: list[str] | None, path: Path) -> Any:

    where = str(path.parent)
    if names is None or not pa.types.is_integer(column.type):
        return labels_of(column, None if names is None else tuple(names), where)
    if column.null_count or pc.min(column).as_py() < 0:  # -1 is how a hidden label is written
        raise InputError(f"{where}: some rows have no label: fill or remove them")
    return column.to_numpy().astype(np.int64), tuple(names)


def _ids(table: pa.Table) -> Any:
    """Return distinct strings as ids, or None, where row numbers must do."""
    for name in ("id", _PATH):
        if name in table.column_names and not table[name].null_count:
            texts = from_arrow(table[name].cast(pa.string()))
            if are_distinct(texts):
                return texts
    return None
