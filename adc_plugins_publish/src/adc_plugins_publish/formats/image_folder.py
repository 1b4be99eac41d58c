"""Images in folders by split and class, with a manifest in CSV and Parquet."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adc_core import Dataset, progress
from adc_core.arrays import Array
from adc_plugins_publish.formats.dataset_images import images_of
from adc_plugins_publish.formats.file_names import (
    below_class,
    distinct_paths,
    original_paths,
    with_suffix,
)
from adc_plugins_publish.formats.hugging_face import features_of
from adc_plugins_publish.formats.samples_table import (
    SAMPLES,
    Written,
    samples_table,
    with_paths,
    without_formulas,
)

MANIFEST = "samples.csv"


def export_image_folder(
    dataset: Dataset, splits: NDArray[np.str_], entitled: Array, folder: Path
) -> Written:
    """Write `SPLIT/CLASS/sub/name.jpg`, and of all samples `samples.csv` and `samples.parquet`.

    torchvision's `ImageFolder` reads a split; `read_dataset` a manifest; Hugging Face's
    `load_dataset` the folder, with the `metadata.parquet` that each split has.
    """
    images, classes = images_of(dataset), frozenset(dataset.classes)
    wanted = [
        f"{split}/{dataset.classes[label]}/{below_class(path, classes)}"
        for split, label, path in zip(
            splits.tolist(), dataset.labels.tolist(), original_paths(dataset), strict=True
        )
    ]
    paths, renamed = distinct_paths(wanted, entitled)
    for row, name in enumerate(paths):
        content, suffix = images.encoded(row)
        paths[row] = with_suffix(name, suffix)
        path = folder / paths[row]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        progress(row + 1, len(paths), "image")
    table = with_paths(samples_table(dataset, splits), paths)
    pq.write_table(table, folder / SAMPLES)
    pyarrow.csv.write_csv(without_formulas(table), folder / MANIFEST)
    for split in np.unique(splits).tolist():
        rows = np.flatnonzero(splits == split)
        names = pa.array([paths[row].removeprefix(f"{split}/") for row in rows.tolist()])
        metadata = table.take(pa.array(rows)).drop_columns(["path", "split"])
        place = metadata.column_names.index("label")
        metadata = metadata.set_column(place, "label", pa.array(dataset.labels[rows]))
        metadata = metadata.add_column(0, "file_name", names)
        features = features_of(metadata.schema, {"label": dataset.classes})
        info = {"huggingface": json.dumps({"info": {"features": features}})}
        pq.write_table(metadata.replace_schema_metadata(info), folder / split / _METADATA)
    return Written(paths, renamed)


_METADATA = "metadata.parquet"
