"""The table of votes: one row per vote, as CSV or Parquet.

Ours has `item`, `rater` and `label`; tables with `task`, `worker`, `label` (crowd-kit's names) or
`item`, `annotator`, `label` are read as well.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adc_core import InputError
from adc_core.arrays import Array
from adc_core.storage import atomic_file, read_table

_TIME = pa.timestamp("ms", "UTC")

VOTES = pa.schema(
    [
        ("item", pa.string()),
        ("rater", pa.string()),
        ("label", pa.string()),
        ("answer", pa.string()),
        ("confidence", pa.float64()),
        ("seconds", pa.float64()),
        ("time", _TIME),
        ("task", pa.string()),
        ("part", pa.string()),
        ("batch", pa.int64()),
        ("trusted", pa.bool_()),
        ("kept", pa.string()),
    ]
)
"""One vote: a sample's id, who says what (`yes`, `unsure`, `no`) of which class, how surely (0…1),
after how many seconds, when; in which task (`vote`, `select`, `relabel`, `duplicates`), part of the
plan and batch; whether an expert does; and of a near duplicate, which sample is kept in its place.
All but the first three may be null."""

ANSWERS = {"yes": 1, "unsure": 0, "no": -1}
"""The words of the table and the numbers of `Votes.answer`."""

TASKS = ("vote", "select", "relabel", "duplicates")

_REQUIRED = ("item", "rater", "label")
_FOREIGN = (*_REQUIRED, "kept")
"""Columns of texts that strangers may have chosen."""

_ALWAYS = (*_REQUIRED, "answer")


def votes_table(columns: Mapping[str, Any]) -> pa.Table:
    """Make a table of votes, sorted by item, rater, task, label and time.

    Args:
        columns: of `VOTES` by name, V values each; those that are left out are null. A null answer
            is read as yes, a null task as vote, and null `trusted` as false.
    """
    count = len(columns["item"])
    table = pa.table(
        {
            field.name: _cast(columns[field.name], field.type)
            if field.name in columns
            else pa.nulls(count, field.type)
            for field in VOTES
        },
        schema=VOTES,
    )
    for name, default in (("answer", "yes"), ("task", "vote"), ("trusted", False)):
        filled = pc.fill_null(table[name], default)
        table = table.set_column(table.schema.get_field_index(name), VOTES.field(name), filled)
    seconds = pc.round(table["seconds"], 2)
    table = table.set_column(table.schema.get_field_index("seconds"), "seconds", seconds)
    return sorted_votes(table)


def sorted_votes(table: pa.Table) -> pa.Table:
    """Sort a table of votes by item, rater, task, label and time."""
    return table.take(pa.array(_order(table)))


def latest_votes(table: pa.Table) -> pa.Table:
    """Keep the latest vote of each rater on each item, task and label, of a sorted table."""
    if len(table) < 2:
        return table
    keys = [_codes(table[name]) for name in ("item", "rater", "task", "label")]
    follows = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    return table.filter(pa.array(np.append(~follows, True)))


def read_votes(path: Path) -> pa.Table:
    """Read a table of votes; columns that are not ours are left out.

    Raises:
        InputError: it cannot be read, a column is missing, or a value is none that it can be; the
            message names the row, counted from 1 below the header.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"{path}: votes are read from .csv and .parquet: rename or convert it")
    read = _read_csv(path) if path.suffix == ".csv" else read_table(path)
    given = _renamed(read)
    if path.suffix == ".csv":
        given = _replaced(given, r"^'('*[=+\-@\t\r])", r"\1")
    missing = [name for name in _REQUIRED if name not in given.column_names]
    if missing:
        raise InputError(
            f"{path} has no column {', '.join(missing)}: votes need item, rater and label; "
            f"it has {', '.join(read.column_names)}"
        )
    columns = {
        name: _parsed(given[name], name, path) for name in VOTES.names if name in given.column_names
    }
    for name in _REQUIRED:
        _refuse(path, name, columns[name], pc.equal(columns[name], ""), "a text")
    for name, known in (("answer", tuple(ANSWERS)), ("task", TASKS)):
        if name in columns:
            strange = pc.invert(pc.is_in(columns[name], value_set=pa.array([*known, None])))
            _refuse(path, name, columns[name], strange, ", ".join(known))
    if "confidence" in columns:
        stated = columns["confidence"]
        strange = pc.or_(pc.less(stated, 0), pc.greater(stated, 1))
        _refuse(path, "confidence", stated, pc.fill_null(strange, False), "0…1")
    _refuse_half_duplicates(path, columns)
    return votes_table(columns)


def write_votes(table: pa.Table, path: Path) -> None:
    """Write a table of votes as `.csv` or `.parquet`, whole or not at all.

    Columns without any value are left out; a table that is read and written again has the same
    bytes.

    Raises:
        InputError: another suffix.
        WorkError: it cannot be written.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"{path}: votes are written as .csv or .parquet: choose one of these")
    kept = [name for name in VOTES.names if name in _ALWAYS or _says_something(table, name)]
    with atomic_file(path) as part:
        if path.suffix == ".parquet":
            pq.write_table(table.select(kept), part)
            return
        safe = inert(table)
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(kept)
            writer.writerows(zip(*(_as_text(safe[name], name) for name in kept), strict=True))


def inert(table: pa.Table) -> pa.Table:
    """Put an apostrophe before texts that a spreadsheet would take for formulas.

    Class names, ids and names of raters may be strangers' words. Reading takes it off again.
    """
    return _replaced(table, r"^('*[=+\-@\t\r])", r"'\1")


def _replaced(table: pa.Table, pattern: str, replacement: str) -> pa.Table:
    for name in _FOREIGN:
        if name in table.column_names:
            texts = pc.replace_substring_regex(table[name].cast(pa.string()), pattern, replacement)
            table = table.set_column(table.column_names.index(name), name, texts)
    return table


def _read_csv(path: Path) -> pa.Table:
    every = dict.fromkeys((*VOTES.names, "worker", "annotator"), pa.string())
    try:
        return pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types=every),
        )
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: fix the path") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as csv: {reason}") from None


def _renamed(table: pa.Table) -> pa.Table:
    """Give the columns of other tools our names; `task` is the item where there is no item."""
    names = table.column_names
    ours = {} if "item" in names else {"task": "item"}
    if "rater" not in names:
        ours |= {"worker": "rater"} if "worker" in names else {"annotator": "rater"}
    return table.rename_columns([ours.get(name, name) for name in names])


def _parsed(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    """Convert a column of texts, or of what Parquet holds, to the type that it has with us."""
    wanted = VOTES.field(name).type
    if pa.types.is_string(column.type) and wanted != pa.string():
        column = pc.if_else(pc.equal(column, ""), None, column)
        if wanted == pa.bool_():
            known = pa.array(["true", "false", None])
            strange = pc.invert(pc.is_in(pc.utf8_lower(column), value_set=known))
            _refuse(path, name, column, strange, "true or false")
            return pc.equal(pc.utf8_lower(column), "true")
    elif wanted == pa.string() and name not in _REQUIRED:
        column = pc.if_else(pc.equal(column.cast(wanted), ""), None, column.cast(wanted))
    try:
        return _cast(column, wanted)
    except (pa.ArrowException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: {name} cannot be read: {reason}") from None


def _cast(values: Any, wanted: pa.DataType) -> Any:
    if isinstance(values, pa.ChunkedArray | pa.Array):
        if pa.types.is_string(values.type) and wanted == _TIME:
            # An offset, such as the Z of UTC, or none, which is taken for UTC.
            zoned = pc.if_else(pc.match_substring_regex(values, r"(Z|[+-]\d\d:?\d\d)$"), "", "Z")
            values = pc.binary_join_element_wise(values, zoned, "").cast(pa.timestamp("us", "UTC"))
        if pa.types.is_timestamp(values.type):
            values = pc.floor_temporal(values, unit="millisecond")
        return values.cast(wanted)
    return pa.array(values, wanted)


def _refuse(
    path: Path, name: str, column: pa.ChunkedArray, strange: pa.ChunkedArray, expected: str
) -> None:
    bad = np.asarray(pc.fill_null(strange, True))
    if bad.any():
        row = int(bad.argmax())
        value = column[row].as_py()
        said = "empty" if value in (None, "") else repr(value)
        raise InputError(f"{path}: row {row + 1}: {name} is {said}, expected {expected}")


def _refuse_half_duplicates(path: Path, columns: Mapping[str, pa.ChunkedArray]) -> None:
    """Refuse a near duplicate of nothing, and a sample that is kept in place of no duplicate."""
    none = pa.chunked_array([pa.nulls(len(columns["item"]), pa.string())])
    task, answer, kept = (columns.get(name, none) for name in ("task", "answer", "kept"))
    dropped = pc.and_(pc.equal(task, "duplicates"), pc.equal(answer, "no"))
    strange = pc.xor(pc.fill_null(dropped, False), pc.is_valid(kept))
    expected = "an id where task is duplicates and answer no, and nothing elsewhere"
    _refuse(path, "kept", kept, strange, expected)


def _says_something(table: pa.Table, name: str) -> bool:
    column = table[name]
    if name == "trusted":
        return bool(pc.any(column).as_py())
    if name == "task":
        return bool(pc.any(pc.not_equal(column, "vote")).as_py())
    return int(column.null_count) < len(column)


def _as_text(column: pa.ChunkedArray, name: str) -> Sequence[str]:
    if name == "time":
        moments = np.asarray(column.cast(pa.timestamp("ms")))
        written = np.char.add(np.datetime_as_string(moments, "ms"), "Z")
        return list(np.where(np.isnat(moments), "", written))
    if name == "seconds":
        seconds = np.asarray(column.cast(pa.float64()), np.float64)
        return list(np.where(np.isnan(seconds), "", np.char.mod("%.2f", seconds)))
    texts: list[str] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return texts


def _order(table: pa.Table) -> NDArray[np.int64]:
    keys = [_codes(table[name]) for name in ("item", "rater", "task", "label")]
    when = pc.fill_null(table["time"].cast(pa.int64()), np.iinfo(np.int64).min)
    return np.lexsort([np.asarray(when), *reversed(keys)])


def _codes(column: pa.ChunkedArray) -> Array:
    """Replace texts by their places in the sorted list of them."""
    words = column.combine_chunks().dictionary_encode()
    if isinstance(words, pa.ChunkedArray):
        words = words.combine_chunks()
    rank = np.empty(len(words.dictionary), np.int64)
    rank[np.asarray(pc.sort_indices(words.dictionary))] = np.arange(len(rank))
    codes: Array = rank[np.asarray(words.indices)]
    return codes
