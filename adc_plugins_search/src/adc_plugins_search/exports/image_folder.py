"""Pictures in folders by split and class, with a manifest in CSV and Parquet."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adc_core.dataset import Dataset
from adc_core.work import progress
from adc_plugins_search.exports.pictures import pictures_of
from adc_plugins_search.exports.samples_table import SAMPLES, keys_of, samples_table, with_paths

MANIFEST = "samples.csv"


def export_image_folder(dataset: Dataset, splits: NDArray[np.str_], folder: Path) -> None:
    """Write `SPLIT/CLASS/KEY.jpg`, and of all samples `samples.csv` and `samples.parquet`.

    torchvision's `ImageFolder` reads a split; `Dataset.read` a manifest; Hugging Face's
    `load_dataset("imagefolder")` the folder, with the `metadata.parquet` that each split has.
    """
    pictures, keys, paths = pictures_of(dataset), keys_of(dataset), []
    for row, key in enumerate(keys):
        content, suffix = pictures.encoded(row)
        name = dataset.classes[dataset.labels[row]]
        path = folder / splits[row] / name / f"{key}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path.relative_to(folder).as_posix())
        progress(row + 1, len(keys), "image")
    table = with_paths(samples_table(dataset, splits), paths)
    pq.write_table(table, folder / SAMPLES)
    pyarrow.csv.write_csv(table, folder / MANIFEST)
    for split in np.unique(splits).tolist():
        rows = np.flatnonzero(splits == split)
        within = pa.array([paths[row].removeprefix(f"{split}/") for row in rows])
        metadata = table.take(pa.array(rows)).drop_columns(["path", "split"])
        pq.write_table(metadata.add_column(0, "file_name", within), folder / split / _METADATA)


_METADATA = "metadata.parquet"
