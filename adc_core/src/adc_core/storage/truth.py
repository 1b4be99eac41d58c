"""True labels of a collected dataset, matched to its samples by id, path or URL.

The truth of a sample is a class, `NO_CLASS` where it belongs to none of them, or `UNKNOWN`.
"""

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adc_core.arrays.strings import from_arrow, to_arrow
from adc_core.arrays.validation import Array
from adc_core.errors import InputError
from adc_core.images.sequence import ImageFiles
from adc_core.records.dataset import Dataset
from adc_core.storage.tables import read_table

UNKNOWN = -1
"""Nobody knows the sample's true class."""

NO_CLASS = -2
"""The sample's label is wrong, and no class of the dataset is known to be right: it belongs to none
of them, or nobody said to which."""

NONE = "none"
"""What a table of true labels says of a sample that belongs to no class."""

_KEYS = ("id", "path", "url")
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}


def truth_table(path: Path) -> pa.Table:
    """Read a table of true labels.

    Raises:
        InputError: it lacks both `label` and `wrong`, or all of `id`, `path` and `url`.
    """
    table = read_table(path)
    names = table.column_names
    if not {"label", "wrong"} & set(names) or not set(_KEYS) & set(names):
        raise InputError(
            f"{path}: the truth needs the columns label or wrong, and id, path or url; "
            f"it has {', '.join(names)}"
        )
    return table


def read_truth(table: pa.Table, dataset: Dataset) -> Array:
    """Read N int64 true labels; `UNKNOWN` where the table does not name a sample.

    A label is the name of a class, or its number where the table holds numbers. `none`, unless a
    class is called so, and an empty label are `NO_CLASS`; empty ones are counted in a warning,
    since they may as well be samples that nobody has looked at. Any other text is refused. The
    column `wrong` says true or false of the given label: where there is no label beside it, true
    is `NO_CLASS` and false is the given one.

    Raises:
        InputError: no sample is known, a label is not one of the dataset's classes, or `wrong`
            contradicts a label.
    """
    rows = _rows(table, dataset)
    used = np.flatnonzero(rows >= 0)
    known = table.take(pa.array(rows[used]))
    given = dataset.labels[used]
    labels = (
        _labels(known["label"], dataset.classes)
        if "label" in known.column_names
        else np.full(len(used), UNKNOWN)
    )
    if "wrong" in known.column_names:
        labels = _with_wrong(labels, _flags(known["wrong"]), given, dataset.ids[used])
    elif empty := int((labels == UNKNOWN).sum()):
        warnings.warn(
            f"truth: {empty:,} rows have an empty label, read as none of the classes: "
            f"write {NONE!r} there to say so, or leave out rows that nobody has judged",
            stacklevel=2,
        )
        labels = np.where(labels == UNKNOWN, NO_CLASS, labels)
    truth = np.full(len(dataset), UNKNOWN, np.int64)
    truth[used] = labels
    return truth


def _rows(table: pa.Table, dataset: Dataset) -> Array:
    """Find the row of each sample in the table, -1 where it does not name one."""
    files = dataset.images if isinstance(dataset.images, ImageFiles) else None
    keys = {"id": to_arrow(dataset.ids)}
    keys["path"] = keys["id"] if files is None else to_arrow(files.paths)
    if dataset.sources is not None and "url" in dataset.sources.column_names:
        keys["url"] = dataset.sources["url"]
    names = [name for name in _KEYS if name in table.column_names]
    if names == ["url"] and "url" not in keys:
        raise InputError("the truth is by url but the dataset has no url for its samples: use id")
    for name in names:
        if name in keys:
            known = table[name].cast(pa.string()).combine_chunks()
            found = pc.index_in(keys[name], value_set=known).fill_null(-1)
            rows = np.asarray(found, dtype=np.int64)
            if (rows >= 0).any():
                return rows
    raise InputError("the truth names none of the dataset's samples: check its ids, paths or urls")


def _labels(column: pa.ChunkedArray, classes: tuple[str, ...]) -> Array:
    """Read class numbers, `NO_CLASS`, or `UNKNOWN` where the label is empty."""
    if pa.types.is_integer(column.type) and not all(name.isdigit() for name in classes):
        numbers = np.asarray(column.fill_null(UNKNOWN), dtype=np.int64)
        outside = (numbers >= len(classes)) | (numbers < UNKNOWN)
        if outside.any():
            raise InputError(
                f"truth: label {numbers[outside.argmax()]} is not a class: 0…{len(classes) - 1}"
            )
        return numbers
    texts = from_arrow(column.cast(pa.string()).fill_null(""))
    found, codes = np.unique(texts, return_inverse=True)
    place = {"": UNKNOWN, NONE: NO_CLASS} | {name: k for k, name in enumerate(classes)}
    for name in found.tolist():
        if name not in place:
            raise InputError(
                f"truth: label {name!r} is not a class: {', '.join(classes)}, or {NONE} of them"
            )
    lookup = np.array([place[name] for name in found.tolist()], np.int64)
    labels: Array = lookup[codes]
    return labels


def _flags(column: pa.ChunkedArray) -> Array:
    """Read 1 for wrong, 0 for right, -1 where nothing is said."""
    if pa.types.is_boolean(column.type):
        return np.asarray(column.cast(pa.int8()).fill_null(-1), dtype=np.int64)
    texts = column.cast(pa.string()).fill_null("").to_pylist()
    for text in texts:
        if text and text.lower() not in _TRUE | _FALSE:
            raise InputError(f"truth: wrong is {text!r}: write true or false, or leave it empty")
    return np.array([-1 if not text else int(text.lower() in _TRUE) for text in texts], np.int64)


def _with_wrong(labels: Array, wrong: Array, given: Array, ids: Array) -> Array:
    contradicts = (labels != UNKNOWN) & (wrong >= 0) & ((labels != given) != (wrong == 1))
    if contradicts.any():
        row = int(contradicts.argmax())
        raise InputError(
            f"truth: {ids[row]} is wrong: {'true' if wrong[row] else 'false'}, but its label "
            f"{'is' if wrong[row] else 'is not'} the given one: correct one of the two"
        )
    implied = np.select([wrong == 1, wrong == 0], [NO_CLASS, given], UNKNOWN)
    return np.where(labels == UNKNOWN, implied, labels)
