"""Keeping what people answer: each request once, and the present answers that follow."""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from adc_plugins_review.campaign.deciding import YES
from adc_plugins_review.campaign.raters import Rater
from adc_plugins_review.campaign.store import LEASE, Refused, Store

_SLACK_MS = 2_000


@dataclass(frozen=True)
class Answer:
    """What somebody says of one item.

    Attributes:
        answer: 1 yes, 0 unsure, -1 no; None takes an earlier answer back.
        label: class index that the answer is about.
        ms: milliseconds for which the image was visible, as the page says.
        confidence: 0 … 1, or None.
        kept: of a near duplicate that is dropped, the id of the sample that is kept instead.
    """

    answer: int | None
    label: int | None = None
    ms: int = 0
    confidence: float | None = None
    kept: str | None = None


def vote(store: Store, rater: Rater, key: str, batch: int, position: int, answer: Answer) -> int:
    """Keep an answer to an image of an open batch; return how many the batch still lacks.

    Raises:
        Refused: 404 where it was not dealt to this rater, 410 where the batch is closed, 409
            where the key came before with another answer.
    """
    key = f"{rater.id}:{key}"
    with store.transaction() as db:
        item, begun = _dealt(store, rater, batch, position)
        if not came_before(store, key, rater, item, answer.answer):
            if begun is None:
                raise Refused(410, "this task is finished: its answers cannot change any more")
            record(store, "vote", rater, item, answer, key=key, batch=batch, begun=begun)
        until = store.clock() + LEASE
        db.execute(
            "UPDATE lease SET until = ? WHERE rater = ? AND item IN "
            "(SELECT item FROM place WHERE batch = ?)",
            (until, rater.id, batch),
        )
        return left(store, rater, batch)


def select(
    store: Store,
    rater: Rater,
    key: str,
    batch: int,
    grid: int,
    chosen: Collection[int],
    *,
    fewer: bool,
    ms: int,
) -> int:
    """Keep which images of a grid somebody picked; return how many grids the batch still lacks.

    A picked image gets a yes. One that is not picked gets no answer: nothing was said of it.

    Args:
        store: of the review.
        rater: who picked.
        key: of the request.
        batch: that the grid is in.
        grid: its number in the plan.
        chosen: positions in the batch.
        fewer: whether fewer than the plan asks for fit.
        ms: for which the grid was visible.

    Raises:
        Refused: as of `vote`; 400 where fewer are picked than were asked for.
    """
    key = f"{rater.id}:{key}"
    if len(chosen) < store.plan.select_min and not fewer:
        raise Refused(400, f"pick at least {store.plan.select_min}, or say that fewer fit")
    with store.transaction() as db:
        places = {
            row["position"]: row["item"]
            for row in db.execute(
                "SELECT position, item FROM place JOIN item ON item.id = place.item "
                "JOIN batch ON batch.id = place.batch WHERE batch = ? AND rater = ? "
                "AND item.place = ? AND item.task = 'select'",
                (batch, rater.id, grid),
            )
        }
        if not places or not places.keys() >= set(chosen):
            raise Refused(404, "there is no such image")
        if not came_before(store, key, rater, None, int(fewer)):
            begun, submitted = db.execute(
                "SELECT begun, submitted FROM batch WHERE id = ?", (batch,)
            ).fetchone()
            if submitted is not None:
                raise Refused(410, "this task is finished: its answers cannot change any more")
            now = store.clock()
            db.execute(
                "INSERT INTO event(client_key, rater, batch, kind, label, answer, visible_ms, at) "
                "VALUES (?, ?, ?, 'grid', ?, ?, ?, ?)",
                (key, rater.id, batch, grid, int(fewer), ms, now),
            )
            for position, item in places.items():
                had = db.execute(
                    "SELECT 1 FROM vote WHERE item = ? AND rater = ?", (item, rater.id)
                ).fetchone()
                if (position in chosen) != (had is not None):
                    answer = Answer(YES if position in chosen else None, ms=ms)
                    record(store, "select", rater, item, answer, batch=batch, begun=begun)
            db.execute(
                "UPDATE grid SET done = ?, fewer = ? WHERE batch = ? AND number = ?",
                (now, int(fewer), batch, grid),
            )
        return int(
            db.execute(
                "SELECT count(*) FROM grid WHERE batch = ? AND done IS NULL", (batch,)
            ).fetchone()[0]
        )


def judge(
    store: Store, rater: Rater, key: str, row: int, sample: str, given: int, answer: Answer
) -> None:
    """Keep what an expert decides about any sample, seen with everything that is known of it.

    Args:
        store: of the review.
        rater: the expert.
        key: of the request.
        row: of the dataset.
        sample: its id.
        given: its label.
        answer: yes to the given label keeps it, yes to another one relabels, no drops; None takes
            the decision back.

    Raises:
        Refused: 409 where the key came before with another decision.
    """
    key = f"{rater.id}:{key}"
    with store.transaction() as db:
        item = item_of_expert(db, "relabel", row, sample, given)
        if not came_before(store, key, rater, item, answer.answer):
            record(store, "relabel", rater, item, answer, key=key)


def item_of_expert(
    db: sqlite3.Connection,
    task: Literal["relabel", "duplicates"],
    row: int,
    sample: str,
    label: int,
) -> int:
    """Return the number of a sample that experts decide about, which gets one where it has none."""
    db.execute(
        "INSERT OR IGNORE INTO item(row, sample, label, task, part, place, wanted) "
        "VALUES (?, ?, ?, ?, 'other', 0, 0)",
        (row, sample, label, task),
    )
    found = db.execute("SELECT id FROM item WHERE task = ? AND row = ?", (task, row)).fetchone()
    return int(found[0])


def left(store: Store, rater: Rater, batch: int) -> int:
    """Count the images of a batch that have no answer."""
    return int(
        store.db.execute(
            "SELECT count(*) FROM place WHERE batch = ? AND NOT EXISTS "
            "(SELECT 1 FROM vote WHERE vote.item = place.item AND vote.rater = ?)",
            (batch, rater.id),
        ).fetchone()[0]
    )


def _dealt(store: Store, rater: Rater, batch: int, position: int) -> tuple[int, int | None]:
    """Find an item of a rater's batch, and when the batch began; None if it is closed."""
    found = store.db.execute(
        "SELECT item, begun, submitted FROM place JOIN batch ON batch.id = place.batch "
        "WHERE batch = ? AND position = ? AND rater = ?",
        (batch, position, rater.id),
    ).fetchone()
    if found is None:
        raise Refused(404, "there is no such image")
    return found["item"], None if found["submitted"] is not None else found["begun"]


def came_before(store: Store, key: str, rater: Rater, item: int | None, answer: int | None) -> bool:
    """Tell whether a request came before.

    Raises:
        Refused: its key did, with another content.
    """
    found = store.db.execute("SELECT * FROM event WHERE client_key = ?", (key,)).fetchone()
    if found is None:
        return False
    if (found["rater"], found["item"], found["answer"]) != (rater.id, item, answer):
        raise Refused(409, "this answer was sent before with another content")
    return True


def record(
    store: Store,
    kind: str,
    rater: Rater,
    item: int,
    answer: Answer,
    *,
    key: str | None = None,
    batch: int | None = None,
    begun: int | None = None,
) -> None:
    """Append an event and make the rater's present answer of it; within a transaction."""
    now = store.clock()
    ms = answer.ms if begun is None else min(answer.ms, (now - begun) // 1000 + _SLACK_MS)
    label = answer.label
    if label is None:
        label = store.db.execute("SELECT label FROM item WHERE id = ?", (item,)).fetchone()[0]
    values = (key, rater.id, item, batch, kind, label, answer.answer, answer.confidence, ms)
    event = store.db.execute(
        "INSERT INTO event(client_key, rater, item, batch, kind, label, answer, confidence, "
        "visible_ms, kept, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, answer.kept, now),
    ).lastrowid
    if answer.answer is None:
        store.db.execute("DELETE FROM vote WHERE item = ? AND rater = ?", (item, rater.id))
    else:
        store.db.execute(
            "INSERT OR REPLACE INTO vote VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (item, rater.id, label, answer.answer, answer.confidence, ms, now, event),
        )
    store.db.execute("DELETE FROM lease WHERE item = ? AND rater = ?", (item, rater.id))
    store.recount([item])


def rebuild(store: Store) -> None:
    """Make the present answers again, and all counts, of the events."""
    with store.transaction() as db:
        db.execute("DELETE FROM vote")
        db.execute(
            "INSERT INTO vote SELECT item, rater, label, answer, confidence, visible_ms, at, id "
            "FROM event WHERE answer IS NOT NULL AND id IN (SELECT max(id) FROM event "
            "WHERE item IS NOT NULL GROUP BY item, rater)"
        )
        store.recount(row[0] for row in db.execute("SELECT id FROM item").fetchall())


def withdraw(store: Store, items: Iterable[int], why: str) -> None:
    """Show items no more, and leave their votes out."""
    with store.transaction() as db:
        db.executemany("UPDATE item SET withdrawn = ? WHERE id = ?", ((why, i) for i in items))
