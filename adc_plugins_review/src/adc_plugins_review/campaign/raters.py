"""The people of a review: their links, and whether their votes count."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from adc_plugins_review.campaign.store import Store
from adc_plugins_review.campaign.tokens import hash_external, hash_token, make_token

_OWNER = "the owner"

KEEP_IDS = "keep_ids"
"""Fact about a review: whether ids that a platform gives people are kept as their names."""

State = Literal["active", "stopped", "blocked", "revoked"]


@dataclass(frozen=True)
class Rater:
    """Somebody who answers; see the table `rater`.

    Attributes:
        linked: has a link of his own that is valid; the owner has another one, as owner.
    """

    id: int
    name: str | None
    trusted: bool
    state: State
    linked: bool = True

    @property
    def pseudonym(self) -> str:
        """What votes are published under: `r07`."""
        return f"r{self.id:02}"


def add_rater(
    store: Store,
    name: str | None = None,
    *,
    trusted: bool = False,
    external: str | None = None,
    way_back: str | None = None,
    number: int | None = None,
) -> Rater:
    """Add somebody, or find who came with the same external id before.

    Args:
        store: of the review.
        name: for the owner's eyes.
        trusted: an expert.
        external: id that a platform gives the person; a hash of it is kept, and the id itself, as
            the name, only where the owner said so.
        way_back: where the person goes when the work is done; see `web.platform_pages`.
        number: that the person is to have; the next one by default.
    """
    hashed = None if external is None else hash_external(store.key, external)
    if name is None and external is not None and store.meta(KEEP_IDS):
        name = external
    with store.transaction() as db:
        found = db.execute("SELECT * FROM rater WHERE external = ?", (hashed,)).fetchone()
        if found is not None:
            db.execute(
                "UPDATE rater SET way_back = ?, name = coalesce(name, ?) WHERE id = ?",
                (way_back, name, found["id"]),
            )
            return _rater(found)
        if number is None:
            number = int(db.execute("SELECT 1 + coalesce(max(id), 0) FROM rater").fetchone()[0])
        token = hash_token(make_token(store.key, "rater", number))
        db.execute(
            "INSERT INTO rater(id, token, generation, name, trusted, state, external, way_back, "
            "created) VALUES (?, ?, 0, ?, ?, 'active', ?, ?, ?)",
            (number, token, name, int(trusted), hashed, way_back, store.clock()),
        )
        return Rater(number, name, trusted, "active")


def token_of(store: Store, rater: int) -> str:
    """Return the token of a rater's link."""
    found = store.db.execute("SELECT generation FROM rater WHERE id = ?", (rater,)).fetchone()
    return make_token(store.key, "rater", rater, found[0])


def find_owner(store: Store) -> Rater | None:
    """Find the rater under whom the owner's own decisions are kept."""
    hashed = hash_external(store.key, _OWNER)
    found = store.db.execute("SELECT * FROM rater WHERE external = ?", (hashed,)).fetchone()
    return None if found is None else _rater(found)


def add_owner(store: Store) -> Rater:
    """Add that rater, who has no link."""
    owner = add_rater(store, "owner", trusted=True, external=_OWNER)
    store.db.execute("UPDATE rater SET token = NULL WHERE id = ?", (owner.id,))
    return owner


def rater_of(store: Store, token: str) -> Rater | None:
    """Find who has a link; nobody, where it was revoked."""
    found = store.db.execute("SELECT * FROM rater WHERE token = ?", (hash_token(token),)).fetchone()
    return None if found is None else _rater(found)


def raters(store: Store) -> list[Rater]:
    """List everybody, in the order of their numbers."""
    return [_rater(row) for row in store.db.execute("SELECT * FROM rater ORDER BY id")]


def owner_token(store: Store, *, new: bool = False) -> str:
    """Return the token of the owner's link; a new one makes the former one void."""
    generation = int(store.meta("owner") or 0)
    if new:
        with store.transaction():
            store.set_meta("owner", str(generation := generation + 1))
    return make_token(store.key, "owner", 0, generation)


def set_state(store: Store, rater: int, state: State) -> None:
    """Block somebody or take it back, and count the votes of those who are active again.

    Who was let in again by the owner is not stopped a second time.
    """
    with store.transaction() as db:
        if state == "revoked":
            db.execute("UPDATE rater SET token = NULL WHERE id = ?", (rater,))
        pardon = state == "active"
        db.execute(
            "UPDATE rater SET state = ?, pardoned = max(pardoned, ?) WHERE id = ?",
            (state, int(pardon), rater),
        )
        db.execute("DELETE FROM lease WHERE rater = ?", (rater,))
        items = db.execute("SELECT item FROM vote WHERE rater = ?", (rater,)).fetchall()
        store.recount(item[0] for item in items)


def keeps_id(store: Store, rater: int) -> bool:
    """Tell whether the id that a platform gave somebody is kept."""
    found = store.db.execute(
        "SELECT external IS NOT NULL AND name IS NOT NULL FROM rater WHERE id = ?", (rater,)
    ).fetchone()
    return bool(found[0])


def forget(store: Store, rater: int) -> None:
    """Delete somebody's name and external id, from the disk too; the votes stay."""
    store.db.execute("PRAGMA secure_delete = ON")
    with store.transaction() as db:
        db.execute(
            "UPDATE rater SET name = NULL, external = NULL, way_back = NULL WHERE id = ?", (rater,)
        )
    store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _rater(row: sqlite3.Row) -> Rater:
    linked = row["token"] is not None
    return Rater(row["id"], row["name"], bool(row["trusted"]), row["state"], linked)


def campaign_token(store: Store) -> str:
    """Return the token of the link that a platform shows to all its workers."""
    return make_token(store.key, "campaign")
