"""Tar shards that WebDataset readers take."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adc_core import Dataset, progress
from adc_core.arrays import Array
from adc_core.storage import CLASSES
from adc_plugins_publish.formats.dataset_images import images_of
from adc_plugins_publish.formats.file_names import distinct_paths, key_of, original_paths
from adc_plugins_publish.formats.samples_table import SAMPLES, Written, samples_table, with_paths

SHARD = 1000
"""Samples in a shard."""


def export_webdataset(
    dataset: Dataset, splits: NDArray[np.str_], entitled: Array, folder: Path
) -> Written:
    """Write `SPLIT-00000.tar` and so on, of a thousand samples each, and `classes.txt`.

    A sample is `KEY.jpg`, `KEY.cls` (the number of its class) and `KEY.json` (its row of
    `samples.parquet`). The key is the path that the image had, its dots replaced. The same dataset
    gives the same bytes.
    """
    images = images_of(dataset)
    keys, _ = distinct_paths([key_of(path) for path in original_paths(dataset)], entitled)
    paths, suffixes, done = [""] * len(keys), set(), 0
    table = samples_table(dataset, splits)
    for split in np.unique(splits).tolist():
        rows = np.flatnonzero(splits == split)
        for number, start in enumerate(range(0, len(rows), SHARD)):
            shard = rows[start : start + SHARD]
            path = folder / f"{split}-{number:05}.tar"
            facts = table.take(pa.array(shard)).to_pylist()
            # Pax says the same as ustar, and what ustar has no room for: long names.
            with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
                for row, about in zip(shard.tolist(), facts, strict=True):
                    content, suffix = images.encoded(row)
                    suffixes.add(suffix)
                    _add(archive, f"{keys[row]}{suffix}", content)
                    _add(archive, f"{keys[row]}.cls", str(dataset.labels[row]).encode())
                    _add(archive, f"{keys[row]}.json", _json(about))
                    paths[row] = path.name
                    done += 1
                    progress(done, len(keys), "image")
    pq.write_table(with_paths(table, paths), folder / SAMPLES)
    (folder / CLASSES).write_text("".join(f"{name}\n" for name in dataset.classes), "utf-8")
    return Written(paths, suffixes=tuple(sorted(suffixes)))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _json(about: dict[str, Any]) -> bytes:
    return json.dumps(about, ensure_ascii=False, default=str).encode()
