"""Parquet files with the pictures in them, as Hugging Face's `datasets` reads and hosts them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adc_core.dataset import Dataset
from adc_core.work import progress
from adc_plugins_search.exports.pictures import pictures_of
from adc_plugins_search.exports.samples_table import SAMPLES, keys_of, samples_table, with_paths

ROWS = 10_000
"""Samples in a file."""

_GROUP = 100
"""Samples in a row group: what is read at once by who looks at one of them."""

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def export_hugging_face(dataset: Dataset, splits: NDArray[np.str_], folder: Path) -> None:
    """Write `data/SPLIT-00000-of-00002.parquet` and so on; `load_dataset(folder)` reads it.

    The column `image` is decoded when it is asked for, `label` is a `ClassLabel`.
    """
    pictures, keys = pictures_of(dataset), keys_of(dataset)
    told = samples_table(dataset, splits)
    labels = pa.array(dataset.labels)
    table = told.set_column(told.column_names.index("label"), "label", labels)
    table = table.drop_columns(["split"])
    schema = pa.schema([("image", _IMAGE), *table.schema])
    schema = schema.with_metadata({"huggingface": _features(schema, dataset.classes)})
    paths, done = [""] * len(keys), 0
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
                    encoded = [pictures.encoded(row) for row in group]
                    images = [
                        {"bytes": content, "path": f"{keys[row]}{suffix}"}
                        for row, (content, suffix) in zip(group, encoded, strict=True)
                    ]
                    columns = [pa.array(images, _IMAGE), *table.take(pa.array(group)).columns]
                    writer.write_table(pa.table(columns, schema=schema))
                    done += len(group)
                    progress(done, len(keys), "image")
            for row in part.tolist():
                paths[row] = path
    pq.write_table(with_paths(told, paths), folder / SAMPLES)


def _features(schema: pa.Schema, classes: tuple[str, ...]) -> str:
    features: dict[str, Any] = {field.name: _value(field.type) for field in schema}
    features["image"] = {"_type": "Image"}
    features["label"] = {"_type": "ClassLabel", "names": list(classes)}
    return json.dumps({"info": {"features": features}})


def _value(kind: pa.DataType) -> dict[str, str]:
    names = {"double": "float64", "float": "float32", "halffloat": "float16"}
    if pa.types.is_timestamp(kind):
        return {"dtype": str(kind), "_type": "Value"}
    return {"dtype": names.get(str(kind), str(kind)), "_type": "Value"}
