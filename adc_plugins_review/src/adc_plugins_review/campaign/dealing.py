"""Who gets which images next."""

import random
from dataclasses import dataclass

from adc_plugins_review.campaign.raters import Rater
from adc_plugins_review.campaign.store import LEASE, Refused, Store

BATCH = 20
"""Images in a batch of votes, control questions included."""

GRIDS = 10
"""Grids in a batch of selections."""

PLACES = 1000
"""An image is named by batch × this + position: it tells nothing of the sample."""


@dataclass(frozen=True)
class Dealt:
    """One image in somebody's batch.

    Attributes:
        n: its name for the page.
        row: of the dataset.
        label: class index that is asked about.
        answer: what the rater has said of it, or None.
        grid: number of its grid in the plan, of selections.
    """

    n: int
    row: int
    label: int
    answer: int | None
    grid: int


@dataclass(frozen=True)
class Batch:
    """What somebody was dealt."""

    id: int
    task: str
    items: tuple[Dealt, ...]


def deal(store: Store, rater: Rater, task: str) -> Batch | None:
    """Return the rater's open batch, or deal a new one; None where nothing is left for now.

    Raises:
        Refused: 410 where the rater gets no batches any more.
    """
    with store.transaction():
        number = _open_batch(store, rater, task)
        if number is None:
            if rater.state != "active" or store.meta("finished"):
                raise Refused(410, "that was the last task, thank you")
            number = _new_votes(store, rater) if task == "vote" else _new_grids(store, rater)
        return None if number is None else batch_of(store, rater, number)


def batch_of(store: Store, rater: Rater, number: int) -> Batch:
    """Read one batch with the rater's answers."""
    task = store.db.execute("SELECT task FROM batch WHERE id = ?", (number,)).fetchone()[0]
    rows = store.db.execute(
        "SELECT position, row, item.label AS label, answer, place.item, item.place AS grid "
        "FROM place JOIN item ON item.id = place.item "
        "LEFT JOIN vote ON vote.item = item.id AND vote.rater = ? "
        "WHERE batch = ? ORDER BY position",
        (rater.id, number),
    )
    items = (
        Dealt(number * PLACES + one["position"], one["row"], one["label"], one["answer"],
              one["grid"])
        for one in rows
    )  # fmt: skip
    return Batch(number, task, tuple(items))


def find_image(store: Store, rater: Rater, n: int) -> tuple[int, int, bytes, str | None]:
    """Find an image of the rater's own batches: item, row, digest of its bytes, remark.

    Raises:
        Refused: 404 where it was never dealt to this rater.
    """
    found = store.db.execute(
        "SELECT item.id, row, digest, withdrawn FROM place JOIN batch ON batch.id = place.batch "
        "JOIN item ON item.id = place.item WHERE batch = ? AND position = ? AND rater = ?",
        (n // PLACES, n % PLACES, rater.id),
    ).fetchone()
    if found is None:
        raise Refused(404, "there is no such image")
    return found["id"], found["row"], found["digest"], found["withdrawn"]


def submit(store: Store, rater: Rater, number: int) -> None:
    """Close a batch: its answers stay as they are; what was not answered is dealt to others.

    Raises:
        Refused: 404 where it is not the rater's.
    """
    with store.transaction() as db:
        changed = db.execute(
            "UPDATE batch SET submitted = coalesce(submitted, ?1), visible_ms = (SELECT "
            "coalesce(sum(visible_ms), 0) FROM event WHERE batch = ?2 AND kind <> 'select') "
            "WHERE id = ?2 AND rater = ?3",
            (store.clock(), number, rater.id),
        ).rowcount
        if not changed:
            raise Refused(404, "there is no such task")
        db.execute(
            "DELETE FROM lease WHERE rater = ? AND item IN (SELECT item FROM place "
            "WHERE batch = ?)",
            (rater.id, number),
        )


def set_finished(store: Store, finished: bool) -> None:
    """Deal no more images, or deal again; open batches go on."""
    with store.transaction() as db:
        if finished:
            store.set_meta("finished", "1")
        else:
            db.execute("DELETE FROM meta WHERE key = 'finished'")


def _open_batch(store: Store, rater: Rater, task: str) -> int | None:
    found = store.db.execute(
        "SELECT id FROM batch WHERE rater = ? AND task = ? AND submitted IS NULL ORDER BY id",
        (rater.id, task),
    ).fetchone()
    return None if found is None else int(found[0])


def _begin(store: Store, rater: Rater, task: str, items: list[int]) -> int:
    number = store.db.execute(
        "INSERT INTO batch(task, rater, begun) VALUES (?, ?, ?)", (task, rater.id, store.clock())
    ).lastrowid
    assert number is not None
    store.db.executemany(
        "INSERT INTO place VALUES (?, ?, ?)",
        ((number, position, item) for position, item in enumerate(items)),
    )
    until = store.clock() + LEASE
    store.db.executemany(
        "INSERT OR REPLACE INTO lease VALUES (?, ?, ?)",
        ((item, rater.id, until) for item in items),
    )
    return number


def _new_votes(store: Store, rater: Rater) -> int | None:
    known = _gold(store, rater)
    # Leases of others count as votes to come; one's own are of batches that are closed.
    rows = store.db.execute(
        "SELECT id FROM item AS i WHERE task = 'vote' AND part <> 'gold' AND votes < wanted "
        "AND withdrawn IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM vote WHERE vote.item = i.id AND vote.rater = ?1) "
        "AND NOT EXISTS (SELECT 1 FROM item AS gold WHERE gold.id IN (?4, ?5) "
        " AND gold.row = i.row) "
        "AND votes + (SELECT count(*) FROM lease WHERE lease.item = i.id AND until > ?2 "
        " AND lease.rater <> ?1) < wanted ORDER BY place LIMIT ?3",
        (rater.id, store.clock(), BATCH - len(known), *[*known, None, None][:2]),
    )
    items = [row[0] for row in rows]
    if not items:
        return None
    latest = store.db.execute("SELECT coalesce(max(id), 0) FROM batch").fetchone()[0]
    # The order is that of the batch's number: neither the queue nor the parts can be read off it.
    dealt = items + known
    random.Random(f"{store.plan.seed} {latest + 1}").shuffle(dealt)
    return _begin(store, rater, "vote", dealt)


def _gold(store: Store, rater: Rater) -> list[int]:
    """Choose control questions that the rater has not seen: as many right ones as wrong ones."""
    each = round(BATCH * store.plan.gold_share / 2)
    chosen = []
    for truth in (1, -1):
        rows = store.db.execute(
            "SELECT id FROM item AS i WHERE task = 'vote' AND part = 'gold' AND truth = ?1 AND "
            "withdrawn IS NULL AND NOT EXISTS (SELECT 1 FROM place JOIN batch "
            "ON batch.id = place.batch JOIN item AS seen ON seen.id = place.item "
            "WHERE batch.rater = ?2 AND seen.row = i.row) ORDER BY place LIMIT ?3",
            (truth, rater.id, each),
        )
        chosen += [row[0] for row in rows]
    return chosen


def _new_grids(store: Store, rater: Rater) -> int | None:
    rows = store.db.execute(
        "SELECT place, min(id) AS one FROM item AS i WHERE task = 'select' AND withdrawn IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM grid WHERE grid.number = i.place AND done IS NOT NULL) "
        "AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.item = i.id AND until > ?1 "
        " AND lease.rater <> ?2) "
        "AND NOT EXISTS (SELECT 1 FROM place AS p JOIN batch ON batch.id = p.batch "
        " WHERE p.item = i.id AND batch.rater = ?2) GROUP BY place ORDER BY place LIMIT ?3",
        (store.clock(), rater.id, GRIDS),
    ).fetchall()
    grids = [row[0] for row in rows]
    if not grids:
        return None
    items = [
        row[0]
        for grid in grids
        for row in store.db.execute(
            "SELECT id FROM item WHERE task = 'select' AND place = ? ORDER BY id", (grid,)
        )
    ]
    number = _begin(store, rater, "select", items)
    store.db.executemany(
        "INSERT INTO grid(batch, number) VALUES (?, ?)", ((number, grid) for grid in grids)
    )
    return number
