"""One row per sample: what every export says of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adc_core import Dataset
from adc_core.arrays import to_arrow
from adc_core.storage import SPLIT

SAMPLES = "samples.parquet"
"""The table of an export."""

_OWN = ("id", "path", "label", "split")


class Written(NamedTuple):
    """What an export has written.

    Attributes:
        paths: N files of the samples, relative to the export; empty texts where it has none.
        renamed: samples whose file was called otherwise before, beside its class.
        suffixes: of the images, where a reader must know them.
    """

    paths: Sequence[str]
    renamed: int = 0
    suffixes: tuple[str, ...] = ()


def samples_table(dataset: Dataset, splits: NDArray[np.str_]) -> pa.Table:
    """Return id, label, split, attributes, the user's columns and sources.

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
    """Return the table with the column `path`: a manifest that `read_dataset` reads.

    Args:
        table: of N samples.
        paths: where each image is in the export.
    """
    return table.add_column(1, "path", pa.array(paths, pa.string()))


def without_formulas(table: pa.Table) -> pa.Table:
    """Return the table with a quote before texts of sources that a spreadsheet would calculate.

    What search engines tell is anybody's text: `=HYPERLINK(…)` as a title. The columns that are
    ours stay as they are, for programs read them.
    """
    for place, field in enumerate(table.schema):
        if field.name not in _OWN and pa.types.is_string(field.type):
            texts = table[field.name]
            starts = pc.fill_null(pc.match_substring_regex(texts, r"^[=+\-@\t\r]"), False)
            quoted = pc.binary_join_element_wise(pa.scalar("'"), texts, pa.scalar(""))
            table = table.set_column(place, field.name, pc.if_else(starts, quoted, texts))
    return table
