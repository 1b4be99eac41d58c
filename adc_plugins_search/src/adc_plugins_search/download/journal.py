"""The collection's memory: what was searched and fetched, safe at any moment.

Each page of results is stored in one transaction with its next cursor, and the images of a shard
in one transaction after the shard got its name, so a killed collection repeats no paid call and
loses at most the shards that were open.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from pydantic import TypeAdapter

from adc_core import Hit, Page, Query, WorkError
from adc_plugins_search.download.outcomes import Outcome, Stored

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_STORED = TypeAdapter(Stored)
_TABLES = """
CREATE TABLE IF NOT EXISTS pages (
    searcher TEXT, query TEXT, number INTEGER, page TEXT NOT NULL, sum INTEGER NOT NULL,
    PRIMARY KEY (searcher, query, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fetched (
    key TEXT PRIMARY KEY, rules TEXT NOT NULL, shard TEXT, outcome TEXT NOT NULL,
    lasting INTEGER NOT NULL, sum INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members ON fetched (shard) WHERE shard IS NOT NULL;
PRAGMA user_version = 1;
"""
_VERSION = 1


class Journal:
    """One SQLite file, written from the thread that opened it.

    Args:
        path: the file; made if absent.
        rules: what outcomes depend on; outcomes under other rules do not count.

    Raises:
        WorkError: the file cannot be used.
    """

    def __init__(self, path: Path, rules: str) -> None:
        self._path = path
        self._rules = rules
        with self._translate_errors():
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            # Enough against a kill of this process; a power cut may cost the last few entries.
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._check_version()
            self._database.executescript(_TABLES)
            # What an earlier attempt could not have is asked for again.
            self._database.execute("DELETE FROM fetched WHERE NOT lasting")

    def _check_version(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        (tables,) = self._database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if tables and version != _VERSION:
            raise WorkError(
                f"{self._path} is of another version of ADC: delete it to search and fetch anew"
            )

    def _check(self, found: int, *values: object) -> None:
        if found != _checksum(*values):
            raise WorkError(f"{self._path} is damaged: delete it to search and fetch anew")

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def page(self, searcher: str, query: Query, number: int) -> Page | None:
        """Return a page of a searcher's answer to a query; None if it was not requested yet."""
        with self._translate_errors():
            row = self._database.execute(
                "SELECT page, sum FROM pages WHERE searcher = ? AND query = ? AND number = ?",
                (searcher, query.fingerprint, number),
            ).fetchone()
        if row is None:
            return None
        text, total = row
        self._check(total, searcher, query.fingerprint, number, text)
        page = json.loads(text)
        # One query for all: a million copies of the same words are much memory.
        hits = [Hit.model_validate(hit | {"query": query}) for hit in page.get("hits", ())]
        return Page.model_validate(page | {"hits": hits})

    def add_page(self, searcher: str, query: Query, number: int, page: Page) -> None:
        """Keep a page and its next cursor."""
        text = page.model_dump_json(exclude={"hits": {"__all__": {"query"}}}, exclude_defaults=True)
        row = searcher, query.fingerprint, number, text
        with self._translate_errors():
            self._database.execute(
                "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?)", (*row, _checksum(*row))
            )

    def outcome(self, key: str) -> Outcome | None:
        """Return what became of a key under the present rules, if it is known."""
        with self._translate_errors():
            row = self._database.execute(
                "SELECT shard, outcome, sum FROM fetched WHERE key = ? AND rules = ?",
                (key, self._rules),
            ).fetchone()
        if row is None:
            return None
        shard, text, total = row
        self._check(total, key, self._rules, shard, text)
        return _OUTCOME.validate_json(text)

    def shards(self) -> list[str]:
        """Return the names of the shards that hold images, under whatever rules."""
        with self._translate_errors():
            rows = self._database.execute(
                "SELECT DISTINCT shard FROM fetched WHERE shard IS NOT NULL ORDER BY shard"
            )
            return [shard for (shard,) in rows]

    def stored_in(self, shard: str) -> dict[str, Stored]:
        """Return the images of a shard, by key, under the present rules."""
        with self._translate_errors():
            rows = self._database.execute(
                "SELECT key, outcome, sum FROM fetched WHERE shard = ? AND rules = ?",
                (shard, self._rules),
            ).fetchall()
        for key, text, total in rows:
            self._check(total, key, self._rules, shard, text)
        return {key: _STORED.validate_json(text) for key, text, _ in rows}

    def add_outcomes(self, outcomes: Iterable[tuple[str, Outcome]]) -> None:
        """Keep what became of some keys, all or none of it."""
        rows = [self._row(key, outcome) for key, outcome in outcomes]
        with self._translate_errors(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT OR REPLACE INTO fetched VALUES (?, ?, ?, ?, ?, ?)", rows
            )

    def _row(self, key: str, outcome: Outcome) -> tuple[object, ...]:
        shard = outcome.shard if isinstance(outcome, Stored) else None
        text = _OUTCOME.dump_json(outcome).decode()
        lasting = isinstance(outcome, Stored) or outcome.lasting
        return key, self._rules, shard, text, lasting, _checksum(key, self._rules, shard, text)

    def forget_pages(self) -> None:
        """Search everything again next time."""
        with self._translate_errors():
            self._database.execute("DELETE FROM pages")

    def forget_outcomes(self) -> None:
        """Fetch everything again next time."""
        with self._translate_errors():
            self._database.execute("DELETE FROM fetched")

    def forget(self, keys: Iterable[str]) -> None:
        """Fetch some keys again."""
        with self._translate_errors(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany("DELETE FROM fetched WHERE key = ?", ((k,) for k in keys))

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise WorkError(
                f"{self._path} cannot be used ({error}): make room, or delete it to start over"
            ) from error


def _checksum(*values: object) -> int:
    """Return a check sum over what a row says; a row whose key is wrong is not found at all."""
    return crc32("\0".join(map(str, values)).encode())
