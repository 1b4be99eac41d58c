"""The votes of a table as evidence of a dataset."""

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adc_core import InputError, Votes
from adc_core.arrays import Array, from_arrow
from adc_core.errors import unknown_name
from adc_core.records import rows_of
from adc_plugins_review.votes.votes_table import ANSWERS, latest_votes

_ON_LABELS = ("vote", "relabel")
"""Tasks whose answers are about the label of a sample."""


def votes_of(
    table: pa.Table, ids: Array, classes: tuple[str, ...], exclude: Collection[str] = ()
) -> tuple[Votes, int]:
    """Give the latest votes on labels the row and class numbers of a dataset.

    With them comes what was selected for a test set, and what experts saw to be near duplicates.

    Args:
        table: as `read_votes` returns it.
        ids: N ids of the dataset.
        classes: its K names.
        exclude: names of raters to leave out.

    Returns:
        Votes sorted by item, rater and time, raters numbered by their sorted names; and the
        number of votes on items that the dataset does not have. A time that is not known is 0
        where others are known.

    Raises:
        InputError: a label is none of the classes.
    """
    selected = np.flatnonzero(selected_rows(table, ids, exclude))
    duplicates = duplicate_rows(table, ids, exclude)
    table = latest_votes(table)
    table = _without(exclude, table.filter(pc.is_in(table["task"], value_set=pa.array(_ON_LABELS))))
    item = rows_of(ids, from_arrow(table["item"]))
    known = item >= 0
    label = _numbered(table["label"], classes)
    names, rater = np.unique(from_arrow(table["rater"]), return_inverse=True)
    time = _known_or_none(table["time"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()), 0)
    when = np.zeros(len(item)) if time is None else time
    kept = known & _last_of_each(item, rater, label, when)
    order = np.lexsort((label, when, rater, item))
    order = order[kept[order]]
    answer = _numbered(table["answer"], tuple(ANSWERS))
    said = np.array(list(ANSWERS.values()))[answer]
    trusted = np.zeros(len(names), np.bool_)
    trusted[rater[np.asarray(table["trusted"])]] = True
    columns = {
        "item": item,
        "rater": rater,
        "label": label,
        "answer": None if (said == 1).all() else said,
        "seconds": _known_or_none(table["seconds"], np.nan),
        "time": time,
        "confidence": _known_or_none(table["confidence"], np.nan),
    }
    taken = {name: None if one is None else one[order] for name, one in columns.items()}
    votes = Votes(
        **taken,
        names=tuple(names.tolist()),
        trusted=trusted if trusted.any() else None,
        selected=selected if len(selected) else None,
        duplicates=duplicates if len(duplicates) else None,
    )
    return votes, int((~known).sum())


def without_gold(table: pa.Table) -> pa.Table:
    """Leave out answers to control questions, which ask about labels that samples do not have."""
    return table.filter(pc.invert(_is_gold(table)))


def blind(table: pa.Table) -> pa.Table:
    """Leave out what experts decided on the page to relabel, which shows what detectors say."""
    return table.filter(pc.not_equal(table["task"], "relabel"))


def gold_of(table: pa.Table) -> pa.Table:
    """Keep the answers to control questions alone."""
    return table.filter(_is_gold(table))


def _is_gold(table: pa.Table) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(table["part"], "gold"), False)


def selected_rows(table: pa.Table, ids: Array, exclude: Collection[str] = ()) -> NDArray[np.bool_]:
    """Tell which of N samples somebody has selected for the test set."""
    table = latest_votes(table)
    picked = pc.and_(pc.equal(table["task"], "select"), pc.equal(table["answer"], "yes"))
    rows = rows_of(ids, from_arrow(_without(exclude, table.filter(picked))["item"]))
    selected = np.zeros(len(ids), np.bool_)
    selected[rows[rows >= 0]] = True
    return selected


def duplicate_rows(table: pa.Table, ids: Array, exclude: Collection[str] = ()) -> NDArray[np.int64]:
    """Pair the near duplicates among N samples with what experts keep in their place.

    The latest decision on a sample counts. A duplicate of a duplicate is one of what is kept in
    the end; where that is nothing, because decisions contradict each other in a circle or it is
    no sample of these, nothing is dropped.

    Returns:
        D × 2 rows: of the duplicate, and of what is kept.
    """
    table = latest_votes(table)
    decided = pc.and_(pc.equal(table["task"], "duplicates"), table["trusted"])
    table = _without(exclude, table.filter(decided))
    row, instead = rows_of(ids, from_arrow(table["item"])), pc.fill_null(table["kept"], "")
    kept = rows_of(ids, from_arrow(instead))
    kept = np.where(np.asarray(pc.is_valid(table["kept"])) & (kept >= 0), kept, row)
    when = np.asarray(pc.fill_null(table["time"].cast(pa.int64()), 0))
    order = np.lexsort((when, row))
    order = order[row[order] >= 0]
    first = np.arange(len(ids))
    first[row[order]] = kept[order]
    last = first
    for _ in range(len(row).bit_length()):  # each time twice as far along
        last = last[last]
    dropped = np.flatnonzero((first != np.arange(len(ids))) & (first[last] == last))
    return np.stack([dropped, last[dropped]], axis=1)


def _without(raters: Collection[str], table: pa.Table) -> pa.Table:
    out = pc.is_in(table["rater"], value_set=pa.array(list(raters), pa.string()))
    return table.filter(pc.invert(out))


def _last_of_each(item: Array, rater: Array, label: Array, when: Array) -> NDArray[np.bool_]:
    """Mark the latest of the answers of a rater to one question, whichever page asked it."""
    order = np.lexsort((when, label, rater, item))
    same = [column[order][1:] == column[order][:-1] for column in (item, rater, label)]
    last = np.ones(len(item), np.bool_)
    last[order[:-1]] = ~np.logical_and.reduce(same)
    return last


def _numbered(column: pa.ChunkedArray, names: tuple[str, ...]) -> NDArray[np.int64]:
    place = pc.index_in(column, value_set=pa.array(names, pa.string()))
    if place.null_count:
        strange = column[int(np.asarray(pc.is_null(place)).argmax())].as_py()
        raise InputError(f"votes: {unknown_name('class', strange, names)}")
    return np.asarray(place, dtype=np.int64)


def _known_or_none(column: pa.ChunkedArray, unknown: float) -> Array | None:
    if column.null_count == len(column):
        return None
    return np.asarray(pc.fill_null(column, unknown))
