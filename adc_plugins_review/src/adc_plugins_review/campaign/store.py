"""The votes of a review, in one SQLite file: append-only events and the answers that follow.

An answer is acknowledged after the commit, which waits for the disk; a request that comes twice
is known by its key. A process that is killed loses nothing that was acknowledged.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adc_core import Dataset, WorkError
from adc_plugins_review.campaign.deciding import decide, wanted_votes
from adc_plugins_review.campaign.plan import DATABASE, ReviewPlan
from adc_plugins_review.campaign.schema import connect, create_tables
from adc_plugins_review.campaign.tokens import read_key

LEASE = 15 * 60 * 1_000_000
"""Microseconds for which a sample that was dealt is kept for its rater."""


class Refused(Exception):  # noqa: N818 (what becomes of a request, not a fault of the program)
    """A request that cannot be met.

    Attributes:
        status: of HTTP: 404 not yours, 409 another answer under the same key, 410 too late.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Store:
    """The database of one review; used by one thread at a time.

    Args:
        review: the folder of the review.
        plan: that the review follows.
        dataset: the samples; needed where the database is yet to be made.
        clock: UTC in microseconds.
        read_only: refuse to write.
    """

    def __init__(
        self,
        review: Path,
        plan: ReviewPlan,
        dataset: Dataset | None = None,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        read_only: bool = False,
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.path = review / DATABASE
        self.key = read_key(review)
        self.db = connect(self.path, read_only=read_only)
        if self.db.execute("PRAGMA user_version").fetchone()[0] == 0:
            assert dataset is not None
            with self.transaction():
                create_tables(self.db)
                self._fill(dataset)
        if self.meta("plan") != plan.sha256:
            raise WorkError(
                f"{self.path} has votes under another plan: restore plan.json, or `plan --again`"
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of a block or nothing of it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:  # a full disk ends some of them itself
                self.db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def meta(self, key: str) -> str | None:
        """Return one fact about the review."""
        found = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def set_meta(self, key: str, value: str) -> None:
        """Note one fact about the review."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _fill(self, dataset: Dataset) -> None:
        plan = self.plan
        self.set_meta("plan", plan.sha256)
        wanted = wanted_votes(plan.votes, ())

        def items() -> Iterator[tuple[int, int, str, str, int, int, int | None]]:
            for place, (row, part) in enumerate(plan.queue()):
                yield row, int(dataset.labels[row]), "vote", part, place, wanted, None
            for place, task in enumerate(plan.select):
                for row in task.rows:
                    yield row, task.label, "select", "other", place, 1, None
            for place, gold in enumerate(plan.gold):
                truth = 1 if gold.right else -1
                yield gold.row, gold.label, "vote", "gold", place, 0, truth

        self.db.executemany(
            "INSERT INTO item(row, label, task, part, place, wanted, truth, sample, digest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (*item, str(dataset.ids[item[0]]), bytes.fromhex(plan.images.get(item[0], "")))
                for item in items()
            ),
        )

    def recount(self, items: Iterable[int]) -> None:
        """Count the votes of items again, and decide how many they are to have."""
        for item in items:
            found = self.db.execute("SELECT task, part FROM item WHERE id = ?", (item,)).fetchone()
            answers = [
                row[0]
                for row in self.db.execute(
                    "SELECT answer FROM vote JOIN rater ON rater.id = vote.rater WHERE item = ? "
                    "AND state NOT IN ('stopped', 'blocked') ORDER BY event",
                    (item,),
                )
            ]
            queue = found["task"] == "vote" and found["part"] in ("repair", "audit")
            verdict = decide(self.plan.votes, answers) if queue else None
            self.db.execute(
                "UPDATE item SET votes = ?, verdict = ?, wanted = CASE WHEN ? THEN ? ELSE wanted "
                "END WHERE id = ?",
                (
                    len(answers),
                    verdict,
                    queue,
                    wanted_votes(self.plan.votes, answers),
                    item,
                ),
            )
