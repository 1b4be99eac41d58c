"""The collection's memory: what was searched and fetched, safe at any moment.

Each page of results is stored in one transaction with its next cursor, and the pictures of a shard
in one transaction after the shard got its name, so a killed collection repeats no paid call and
loses at most the shards that were open.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter

from adc_core.design import Hit, Page, Query
from adc_core.errors import WorkError
from adc_plugins_search.collectors.outcomes import Outcome, Stored

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_STORED = TypeAdapter(Stored)
_TABLES = """
CREATE TABLE IF NOT EXISTS pages (
    searcher TEXT, query TEXT, number INTEGER, page TEXT NOT NULL,
    PRIMARY KEY (searcher, query, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fetched (
    key TEXT PRIMARY KEY, rules TEXT NOT NULL, shard TEXT, outcome TEXT NOT NULL,
    lasting INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members ON fetched (shard) WHERE shard IS NOT NULL;
"""


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
        with self._explained():
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            # Enough against a kill of this process; a power cut may cost the last few entries.
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_TABLES)
            # What an earlier attempt could not have is asked for again.
            self._database.execute("DELETE FROM fetched WHERE NOT lasting")

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def page(self, searcher: str, query: Query, number: int) -> Page | None:
        """A page that a searcher answered to a query; None where it has not been asked for."""
        with self._explained():
            row = self._database.execute(
                "SELECT page FROM pages WHERE searcher = ? AND query = ? AND number = ?",
                (searcher, query.fingerprint, number),
            ).fetchone()
        if row is None:
            return None
        page = json.loads(row[0])
        # One query for all: a million copies of the same words are much memory.
        hits = [Hit.model_validate(hit | {"query": query}) for hit in page.get("hits", ())]
        return Page.model_validate(page | {"hits": hits})

    def add_page(self, searcher: str, query: Query, number: int, page: Page) -> None:
        """Keep a page and its next cursor."""
        text = page.model_dump_json(exclude={"hits": {"__all__": {"query"}}}, exclude_defaults=True)
        with self._explained():
            self._database.execute(
                "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?)",
                (searcher, query.fingerprint, number, text),
            )

    def outcome(self, key: str) -> Outcome | None:
        """What became of a key under the present rules, if it is known."""
        with self._explained():
            row = self._database.execute(
                "SELECT outcome FROM fetched WHERE key = ? AND rules = ?", (key, self._rules)
            ).fetchone()
        return None if row is None else _OUTCOME.validate_json(row[0])

    def shards(self) -> list[str]:
        """The names of the shards that hold pictures, under whatever rules."""
        with self._explained():
            rows = self._database.execute(
                "SELECT DISTINCT shard FROM fetched WHERE shard IS NOT NULL ORDER BY shard"
            )
            return [shard for (shard,) in rows]

    def stored_in(self, shard: str) -> dict[str, Stored]:
        """The pictures of a shard, by key, under the present rules."""
        with self._explained():
            rows = self._database.execute(
                "SELECT key, outcome FROM fetched WHERE shard = ? AND rules = ?",
                (shard, self._rules),
            )
            return {key: _STORED.validate_json(outcome) for key, outcome in rows}

    def add_outcomes(self, outcomes: Iterable[tuple[str, Outcome]]) -> None:
        """Keep what became of some keys, all or none of it."""
        rows = [
            (
                key,
                self._rules,
                outcome.shard if isinstance(outcome, Stored) else None,
                _OUTCOME.dump_json(outcome).decode(),
                isinstance(outcome, Stored) or outcome.lasting,
            )
            for key, outcome in outcomes
        ]
        with self._explained(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT OR REPLACE INTO fetched VALUES (?, ?, ?, ?, ?)", rows
            )

    def forget_pages(self) -> None:
        """Search everything again next time."""
        with self._explained():
            self._database.execute("DELETE FROM pages")

    def forget_outcomes(self) -> None:
        """Fetch everything again next time."""
        with self._explained():
            self._database.execute("DELETE FROM fetched")

    def forget(self, keys: Iterable[str]) -> None:
        """Fetch some keys again."""
        with self._explained(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany("DELETE FROM fetched WHERE key = ?", ((k,) for k in keys))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise WorkError(
                f"{self._path} cannot be used ({error}): make room, or delete it to start over"
            ) from error
