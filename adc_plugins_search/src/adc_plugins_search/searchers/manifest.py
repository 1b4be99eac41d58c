"""A list of image addresses of one's own: CSV, Parquet or JSON lines."""

import re
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from adc_core import Hit, InputError, LocalPath, Page, Query, Searcher
from adc_plugins_search.terms.split_words import words

PAGE_SIZE = 1000

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

_TEXTS = ("page", "title", "license", "license_url", "creator", "creator_url", "attribution")
_NUMBERS = ("width", "height")


class ManifestSearcher(Searcher):
    """Finds images in a list of addresses, by label or by the words of captions.

    The list has a column `url`, and `label` or `caption`, as lists for img2dataset or LAION's do.
    With labels a query is answered by the rows of its class; a column that is called like an
    attribute must hold the query's value. With captions alone it is answered by those that hold
    every word of the class, most words of the query first. Columns `page`, `title`, `width`,
    `height`, `license`, `license_url`, `creator`, `creator_url` and `attribution` go with a hit.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "list.parquet"}]})

    path: LocalPath = Field(description="the list: .csv, .parquet or .jsonl")
    url: str = Field(default="url", description="column of the addresses")
    label: str = Field(default="label", description="column of the classes")
    caption: str = Field(default="caption", description="column of the descriptions")

    def page(self, query: Query, cursor: str | None = None) -> Page:
        """Return up to a thousand hits; the cursor is how many came before.

        Raises:
            InputError: the list cannot be read, or lacks a column.
        """
        start = int(cursor or 0)
        rows = self._rows(query)
        shown = self.table.take(rows[start : start + PAGE_SIZE])
        given = [name for name in (*_TEXTS, *_NUMBERS) if name in shown.column_names]
        facts: list[dict[str, Any]] = (
            shown.select(given).to_pylist() if given else [{}] * len(shown)
        )
        hits = tuple(
            Hit(url=url, query=query, engine="manifest", rank=rank, **_known(fact))
            for rank, (url, fact) in enumerate(
                zip(shown[self.url].to_pylist(), facts, strict=True), start + 1
            )
        )
        stop = start + PAGE_SIZE
        return Page(hits=hits, cursor=str(stop) if stop < len(rows) else None)

    @cached_property
    def table(self) -> pa.Table:
        """The list; rows without an address are left out."""
        table = _read(self.path)
        names = table.column_names
        if self.url not in names or not {self.label, self.caption} & set(names):
            raise InputError(
                f"{self.path} needs the columns {self.url}, and {self.label} or {self.caption}; "
                f"it has {', '.join(names)}"
            )
        for name in (self.url, self.label, self.caption, *_TEXTS):
            if name in names:
                place = table.column_names.index(name)
                texts = table[name].cast(pa.string())
                # A CSV file has no nulls, only empty cells.
                known = pc.if_else(pc.equal(texts, ""), None, texts)
                table = table.set_column(place, name, known)
        return table.filter(pc.is_valid(table[self.url]))

    def _rows(self, query: Query) -> Rows:
        """Return the rows that answer a query, the best first."""
        table = self.table
        fits = np.ones(len(table), bool)
        for name, value in query.attributes.items():
            if name in table.column_names and name not in (self.url, self.label, self.caption):
                fits &= _same(table[name], value)
        if self.label in table.column_names:
            return np.flatnonzero(fits & _same(table[self.label], query.class_name))
        needed, wanted = words(query.class_name), words(query.text)
        for word in needed:
            fits &= _holds(table[self.caption], word)
        rows = np.flatnonzero(fits & bool(needed))
        captions = table[self.caption].take(rows)
        score = np.zeros(len(rows), np.int64)
        for word in wanted:
            score += _holds(captions, word)
        return rows[np.argsort(-score, kind="stable")]


def _read(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq  # loads the clients of every cloud's storage: 9 MB

            return pq.read_table(path)
        if path.suffix == ".csv":
            return pyarrow.csv.read_csv(path, pyarrow.csv.ReadOptions(use_threads=False))
        if path.suffix in (".jsonl", ".ndjson"):
            return pyarrow.json.read_json(path, pyarrow.json.ReadOptions(use_threads=False))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: give the path of a list") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as {path.suffix[1:]}: {reason}") from None
    raise InputError(f"{path} is not one of: .csv, .parquet, .jsonl")


def _same(column: pa.ChunkedArray, value: str) -> Mask:
    """Return where a text is the value, upper and lower case alike."""
    texts = pc.utf8_lower(column.cast(pa.string()))
    return np.asarray(pc.fill_null(pc.equal(texts, value.lower()), False))


def _holds(column: pa.ChunkedArray, word: str) -> Mask:
    """Return where a text holds a word."""
    pattern = rf"(?i)(^|[^\pL\pN]){re.escape(word)}($|[^\pL\pN])"
    return np.asarray(pc.fill_null(pc.match_substring_regex(column, pattern), False))


def _known(fact: dict[str, Any]) -> dict[str, Any]:
    """Return what is stated of an image; sizes may come as fractions of nothing."""
    known = {name: value for name, value in fact.items() if value is not None}
    for name in _NUMBERS:
        if name in known:
            known[name] = int(known[name])
    return known
