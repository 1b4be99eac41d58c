"""The collection's memory: what was searched and fetched, safe at any moment.

Each page of results is stored in one transaction with its next cursor, and the pictures of a shard
in one transaction after the shard got its name, so a killed collection repeats no paid call and
loses at most the shards that were open.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter

from adc_core.design import Page
from adc_core.errors import WorkError
from adc_plugins_search.collectors.outcomes import Outcome, Stored

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_TABLES = """
CREATE TABLE IF NOT EXISTS pages (
    searcher TEXT, query TEXT, number INTEGER, page TEXT NOT NULL,
    PRIMARY KEY (searcher, query, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fetched (
    key TEXT PRIMARY KEY, rules TEXT NOT NULL, shard TEXT, outcome TEXT NOT NULL
) WITHOUT ROWID;
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

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def pages(self, searcher: str, query: str) -> list[Page]:
        """The pages that a searcher answered to a query, in order."""
        with self._explained():
            rows = self._database.execute(
                "SELECT page FROM pages WHERE searcher = ? AND query = ? ORDER BY number",
                (searcher, query),
            )
            return [Page.model_validate_json(page) for (page,) in rows]

    def add_page(self, searcher: str, query: str, number: int, page: Page) -> None:
        """Keep a page and its next cursor."""
        with self._explained():
            self._database.execute(
                "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?)",
                (searcher, query, number, page.model_dump_json()),
            )

    def outcomes(self) -> dict[str, Outcome]:
        """What became of each key under the present rules."""
        with self._explained():
            rows = self._database.execute(
                "SELECT key, outcome FROM fetched WHERE rules = ?", (self._rules,)
            )
            return {key: _OUTCOME.validate_json(outcome) for key, outcome in rows}

    def shards(self) -> list[str]:
        """The names of the shards that hold pictures, under whatever rules."""
        with self._explained():
            rows = self._database.execute(
                "SELECT DISTINCT shard FROM fetched WHERE shard IS NOT NULL"
            )
            return [shard for (shard,) in rows]

    def add_outcomes(self, outcomes: Iterable[tuple[str, Outcome]]) -> None:
        """Keep what became of some keys, all or none of it."""
        rows = [
            (
                key,
                self._rules,
                outcome.shard if isinstance(outcome, Stored) else None,
                _OUTCOME.dump_json(outcome).decode(),
            )
            for key, outcome in outcomes
        ]
        with self._explained(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO fetched VALUES (?, ?, ?, ?)", rows)

    def forget_pages(self) -> None:
        """Search everything again next time."""
        with self._explained():
            self._database.execute("DELETE FROM pages")

    def forget_outcomes(self) -> None:
        """Fetch everything again next time."""
        with self._explained():
            self._database.execute("DELETE FROM fetched")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise WorkError(
                f"{self._path} cannot be used ({error}): make room, or delete it to start over"
            ) from error
