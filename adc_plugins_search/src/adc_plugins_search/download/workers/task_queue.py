"""The tasks of one collection run, on disk: their number costs no memory.

The queue is rebuilt from the hits by each run; what must outlive a run is in the journal.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adc_core import WorkError
from adc_plugins_search.download.fetch_task import FetchTask
from adc_plugins_search.download.outcomes import Outcome, Stored
from adc_plugins_search.download.workers.protocol import host_queue_of

_TABLE = """
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY, key TEXT UNIQUE, host TEXT, url TEXT NOT NULL, root TEXT
);
"""


class TaskQueue:
    """Distinct tasks, queued by host in the order in which they were added.

    For use by the thread that opened it.

    Args:
        path: the file; created anew, and removed when the queue is closed.

    Attributes:
        answered_hosts: hosts from which images are stored already.

    Raises:
        WorkError: the file cannot be used; so does each method.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.answered_hosts: set[str] = set()
        with self._translate_errors():
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

    def add(self, task: FetchTask, known: Outcome | None) -> bool:
        """Append a task to its host's queue, or note that its outcome is known already.

        Returns:
            Whether it is new.
        """
        host = host_queue_of(task, None)
        if isinstance(known, Stored) and task.root is None:
            self.answered_hosts.add(host)
        root = None if task.root is None else str(task.root)
        with self._translate_errors():
            added = self._database.execute(
                "INSERT OR IGNORE INTO tasks (key, host, url, root) VALUES (?, ?, ?, ?)",
                (task.key, None if known else host, task.url, root),
            )
            return added.rowcount == 1

    def hosts(self) -> list[tuple[str, int]]:
        """Return each host queue's name and length, by first task; nothing is added afterwards."""
        with self._translate_errors():
            if self._database.in_transaction:
                self._database.execute("CREATE INDEX hosts ON tasks (host, number)")
                self._database.execute("COMMIT")
            return self._database.execute(
                "SELECT host, COUNT(*) FROM tasks WHERE host IS NOT NULL "
                "GROUP BY host ORDER BY MIN(number)"
            ).fetchall()

    def next_task(self, host: str, number: int) -> tuple[int, FetchTask]:
        """Return the task of a host after a number, with its own number; numbers begin at 1."""
        with self._translate_errors():
            number, key, url, root = self._database.execute(
                "SELECT number, key, url, root FROM tasks WHERE host = ? AND number > ? "
                "ORDER BY number LIMIT 1",
                (host, number),
            ).fetchone()
        return number, FetchTask(url, key, None if root is None else Path(root))

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise WorkError(f"{self._path} cannot be used ({error}): make room") from error
