"""The errands of one attempt, on disk: their number costs no memory.

The queue is made anew from the hits by each attempt; what must outlive it stands in the journal.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adc_core.errors import WorkError
from adc_plugins_search.download.fetch_task import Errand
from adc_plugins_search.download.outcomes import Outcome, Stored
from adc_plugins_search.download.workers.protocol import line_of

_TABLE = """
CREATE TABLE errands (
    number INTEGER PRIMARY KEY, key TEXT UNIQUE, line TEXT, url TEXT NOT NULL, root TEXT
);
"""


class ErrandQueue:
    """Distinct errands in lines, one line per host, each in the order in which they came.

    Used from the thread that opened it.

    Args:
        path: the file; made anew, and removed when the queue is closed.

    Attributes:
        answered: the names of hosts from which pictures are stored already.

    Raises:
        WorkError: the file cannot be used; so does each method.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.answered: set[str] = set()
        with self._explained():
            path.unlink(missing_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None)
            # After a crash it is of no use.
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.executescript(_TABLE)
            self._database.execute("BEGIN")

    def close(self) -> None:
        """Remove the file."""
        self._database.close()
        self._path.unlink(missing_ok=True)

    def add(self, errand: Errand, known: Outcome | None) -> bool:
        """Put an errand at the end of its line, or note what became of it already.

        Returns:
            Whether it is new.
        """
        line = line_of(errand, None)
        if isinstance(known, Stored) and errand.root is None:
            self.answered.add(line)
        root = None if errand.root is None else str(errand.root)
        with self._explained():
            added = self._database.execute(
                "INSERT OR IGNORE INTO errands (key, line, url, root) VALUES (?, ?, ?, ?)",
                (errand.key, None if known else line, errand.url, root),
            )
            return added.rowcount == 1

    def lines(self) -> list[tuple[str, int]]:
        """Each line's name and length, in the order of their first errands; ends the adding."""
        with self._explained():
            if self._database.in_transaction:
                self._database.execute("CREATE INDEX lines ON errands (line, number)")
                self._database.execute("COMMIT")
            return self._database.execute(
                "SELECT line, COUNT(*) FROM errands WHERE line IS NOT NULL "
                "GROUP BY line ORDER BY MIN(number)"
            ).fetchall()

    def after(self, line: str, number: int) -> tuple[int, Errand]:
        """The errand of a line that follows a number, and its own number; numbers begin at 1."""
        with self._explained():
            number, key, url, root = self._database.execute(
                "SELECT number, key, url, root FROM errands WHERE line = ? AND number > ? "
                "ORDER BY number LIMIT 1",
                (line, number),
            ).fetchone()
        return number, Errand(url, key, None if root is None else Path(root))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise WorkError(f"{self._path} cannot be used ({error}): make room") from error
