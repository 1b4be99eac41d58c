"""One row per sample: what every export tells of it."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from adc_core.dataset import Dataset
from adc_core.splits import SPLIT
from adc_core.texts import to_arrow

SAMPLES = "samples.parquet"
"""The table of an export."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_OWN = ("id", "path", "label", "split")


def keys_of(dataset: Dataset) -> list[str]:
    """A name for each sample's files: its id, or its row where ids are no plain names."""
    ids: list[str] = dataset.ids.tolist()
    if all(_PLAIN.fullmatch(name) for name in ids):
        return ids
    return [f"{row:09}" for row in range(len(ids))]


def samples_table(dataset: Dataset, splits: NDArray[np.str_]) -> pa.Table:
    """Id, label, split, attributes, the user's columns and sources.

    A source that is called like one of the first gets `source.` before its name.

    Args:
        dataset: N samples.
        splits: the split of each.
    """
    classes = np.asarray(dataset.classes)
    columns: dict[str, pa.Array | pa.ChunkedArray] = {"id": to_arrow(dataset.ids)}
    columns |= {"label": to_arrow(classes[dataset.labels]), "split": to_arrow(splits)}
    for name, values in dataset.attributes.items():
        columns[f"attribute.{name}"] = to_arrow(values)
    for name, column in dataset.columns.items():
        if column.ndim == 1 and name != SPLIT:
            columns[name] = pa.array(column)
    if dataset.sources is not None:
        for name in dataset.sources.column_names:
            free = name not in columns and name not in _OWN
            columns[name if free else f"source.{name}"] = dataset.sources[name]
    return pa.table(columns)


def with_paths(table: pa.Table, paths: Sequence[str]) -> pa.Table:
    """The table with the column `path`: a manifest that `Dataset.read` reads.

    Args:
        table: of N samples.
        paths: where each picture lies in the export.
    """
    return table.add_column(1, "path", pa.array(paths, pa.string()))
