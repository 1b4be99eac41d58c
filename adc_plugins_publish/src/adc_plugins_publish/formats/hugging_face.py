"""Parquet files with the images in them, as Hugging Face's `datasets` reads and hosts them."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adc_core import Dataset, progress
from adc_core.arrays import Array
from adc_plugins_publish.formats.dataset_images import images_of
from adc_plugins_publish.formats.file_names import original_paths, with_suffix
from adc_plugins_publish.formats.samples_table import SAMPLES, Written, samples_table, with_paths

ROWS = 10_000
"""Samples in a file."""

_GROUP = 100
"""Samples in a row group: what is read at once by who looks at one of them."""

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def export_hugging_face(
    dataset: Dataset, splits: NDArray[np.str_], entitled: Array, folder: Path
) -> Written:
    """Write `data/SPLIT-00000-of-00002.parquet` and so on; `load_dataset(folder)` reads it.

    The column `image` is decoded when it is asked for and has the file's name, `label` is a
    `ClassLabel`.
    """
    images, names = images_of(dataset), original_paths(dataset)
    samples = samples_table(dataset, splits)
    labels = pa.array(dataset.labels)
    table = samples.set_column(samples.column_names.index("label"), "label", labels)
    table = table.drop_columns(["split"])
    schema = pa.schema([("image", _IMAGE), *table.schema])
    features = features_of(schema, {"label": dataset.classes}) | {"image": {"_type": "Image"}}
    schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    paths, done = [""] * len(names), 0
    (folder / "data").mkdir()
    for split in np.unique(splits).tolist():
        rows = np.flatnonzero(splits == split)
        files = -(-len(rows) // ROWS)
        for number in range(files):
            path = f"data/{split}-{number:05}-of-{files:05}.parquet"
            with pq.ParquetWriter(folder / path, schema) as writer:
                part = rows[number * ROWS : (number + 1) * ROWS]
                for start in range(0, len(part), _GROUP):
                    group = part[start : start + _GROUP].tolist()
                    encoded = [images.encoded(row) for row in group]
                    structs = [
                        {
                            "bytes": content,
                            "path": with_suffix(PurePosixPath(names[row]).name, suffix),
                        }
                        for row, (content, suffix) in zip(group, encoded, strict=True)
                    ]
                    columns = [pa.array(structs, _IMAGE), *table.take(pa.array(group)).columns]
                    writer.write_table(pa.table(columns, schema=schema))
                    done += len(group)
                    progress(done, len(names), "image")
            for row in part.tolist():
                paths[row] = path
    pq.write_table(with_paths(samples, paths), folder / SAMPLES)
    return Written(paths)


def features_of(schema: pa.Schema, classes: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the columns of a table as `datasets` describes its features in JSON.

    Args:
        schema: of the table.
        classes: column to the names of its numbers, for each that is a `ClassLabel`.
    """
    features: dict[str, Any] = {field.name: _value(field.type) for field in schema}
    for column, names in classes.items():
        features[column] = {"_type": "ClassLabel", "names": list(names)}
    return features


def _value(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_struct(kind):
        return {field.name: _value(field.type) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _value(kind.value_type), "_type": "List"}
    return {"dtype": DTYPES.get(str(kind), str(kind)), "_type": "Value"}


DTYPES = {"double": "float64", "float": "float32", "halffloat": "float16"}
"""Arrow's word for a type, where `datasets` has another."""
