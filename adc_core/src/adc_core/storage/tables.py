"""Tables that others made: reading them, and the labels that a column of theirs holds."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from adc_core.arrays.strings import from_arrow
from adc_core.errors import InputError
from adc_core.records.labels import class_indices, number_of_classes


def read_table(path: Path) -> pa.Table:
    """Read a CSV or Parquet file.

    Raises:
        InputError: it cannot be read as one.
    """
    try:
        if path.suffix == ".parquet":
            facts = pq.read_metadata(path)
            refuse_more_than_memory(path, facts.num_rows * facts.num_columns * 8)
            return pq.read_table(path)
        keep_text = pyarrow.csv.ConvertOptions(column_types={"id": pa.string()})
        return pyarrow.csv.read_csv(path, convert_options=keep_text)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: fix the path") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as {path.suffix[1:]}: {reason}") from None


def refuse_more_than_memory(path: Path, size: int) -> None:
    """Refuse a file whose content, a few kilobytes packed, would not fit into memory.

    Args:
        path: of the file.
        size: bytes that its content has at least.

    Raises:
        InputError: the machine has less memory than that.
    """
    if not hasattr(os, "sysconf"):  # Windows, which swaps
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        raise InputError(
            f"{path} holds {size / 2**30:,.3g} GiB when unpacked, and this machine has "
            f"{memory / 2**30:,.3g} GiB of memory: give a part of it"
        )


def labels_of(column: pa.ChunkedArray, classes: tuple[str, ...] | None, where: str) -> Any:
    """Return class indices and class names of a column that holds names or numbers.

    Raises:
        InputError: a missing label, or a name that is not among the classes.
    """
    missing = column.null_count
    if pa.types.is_string(column.type):
        missing += pc.sum(pc.equal(column, "")).as_py() or 0
    if missing:
        raise InputError(f"{where}: {missing} rows have no label: fill or remove them")
    if pa.types.is_integer(column.type) and classes is None:
        values, _ = class_indices(column.to_numpy())
        return values, tuple(map(str, range(number_of_classes(values, f"{where}: labels"))))
    if pa.types.is_integer(column.type) and not all(name.isdigit() for name in classes or ()):
        return column.to_numpy().astype(np.int64), classes
    texts = from_arrow(column.cast(pa.string()))
    found, codes = np.unique(texts, return_inverse=True)
    names = tuple(found.tolist()) if classes is None else classes
    place = {name: k for k, name in enumerate(names)}
    for name in found.tolist():
        if name not in place:
            raise InputError(f"{where}: label {name!r} is not a class: {', '.join(names)}")
    lookup = np.array([place[name] for name in found.tolist()], np.int64)
    return lookup[codes], names
