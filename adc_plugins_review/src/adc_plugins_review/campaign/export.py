"""The votes of a review as tables: those that count, the control questions, events, raters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adc_core.storage import atomic_file
from adc_plugins_review.campaign.plan import GOLD, RATERS, VOTES
from adc_plugins_review.campaign.raters import raters
from adc_plugins_review.campaign.signals import gold_of, signals_of
from adc_plugins_review.campaign.store import Store
from adc_plugins_review.votes.votes_table import votes_table, write_votes

_WORDS = {1: "yes", 0: "unsure", -1: "no"}

_COUNTED = (
    "SELECT sample, vote.rater AS rater, vote.label AS label, vote.answer AS answer, "
    "vote.confidence AS confidence, vote.visible_ms AS ms, vote.at AS at, task, part, "
    "event.batch AS batch, kept FROM vote JOIN item ON item.id = vote.item "
    "JOIN event ON event.id = vote.event JOIN rater ON rater.id = vote.rater "
    "WHERE withdrawn IS NULL AND state NOT IN ('stopped', 'blocked') AND "
)


def counted_votes(store: Store, *, gold: bool = False, names: bool = False) -> pa.Table:
    """Return the latest answers of those whose votes count.

    Votes on samples that were withdrawn are left out, and those of raters who were stopped or
    blocked.

    Args:
        store: of the review.
        gold: the control questions, in place of the samples under review.
        names: name raters as the owner does, where he has named them.
    """
    rows = store.db.execute(_COUNTED + ("part = 'gold'" if gold else "part <> 'gold'")).fetchall()
    return votes_table(_columns(store, rows, _called(store, names)))


def events(store: Store, *, names: bool = False) -> pa.Table:
    """Return the whole history: every answer in its order, with the gold and what was undone."""
    rows = store.db.execute(
        "SELECT sample, event.rater AS rater, event.label AS label, answer, confidence, "
        "event.visible_ms AS ms, at, task, part, batch, kept FROM event JOIN item ON "
        "item.id = item ORDER BY event.id"
    ).fetchall()
    columns = _columns(store, rows, _called(store, names))
    return pa.table(
        {**columns, "answer": [word or "withdrawn" for word in columns["answer"]]},
    )


def rater_rows(store: Store) -> list[dict[str, object]]:
    """Sum up each rater for the owner's eyes, by pseudonym."""
    rows = []
    for rater in raters(store):
        signals = signals_of(store, rater.id)
        shown, right = gold_of(store, rater.id)
        votes, batches = store.db.execute(
            "SELECT (SELECT count(*) FROM vote JOIN item ON item.id = item WHERE rater = ?1 AND "
            "part <> 'gold'), (SELECT count(*) FROM batch WHERE rater = ?1 AND submitted "
            "IS NOT NULL)",
            (rater.id,),
        ).fetchone()
        rows.append(
            {
                "rater": rater.pseudonym,
                "trusted": rater.trusted,
                "state": rater.state,
                "votes": votes,
                "batches": batches,
                "median_seconds": None
                if np.isnan(signals.median_seconds)
                else round(signals.median_seconds, 2),
                "gold_shown": shown,
                "gold_right": right,
                "look_at": signals.look_at,
            }
        )
    return rows


_RATERS = pa.schema(
    {
        "rater": pa.string(),
        "trusted": pa.bool_(),
        "state": pa.string(),
        "votes": pa.int64(),
        "batches": pa.int64(),
        "median_seconds": pa.float64(),
        "gold_shown": pa.int64(),
        "gold_right": pa.int64(),
        "look_at": pa.bool_(),
    }
)


def write_tables(store: Store) -> None:
    """Write the votes, the control questions and the raters beside the database, each whole.

    Raises:
        WorkError: the disk refuses.
    """
    review = store.path.parent
    write_votes(counted_votes(store), review / VOTES)
    write_votes(counted_votes(store, gold=True), review / GOLD)
    write_raters(store, review / RATERS)


def write_raters(store: Store, path: Path) -> None:
    """Write the table of raters, whole or not at all."""
    with atomic_file(path) as part:
        pq.write_table(pa.Table.from_pylist(rater_rows(store), _RATERS), part)


def _called(store: Store, names: bool) -> dict[int, str]:
    return {rater.id: (rater.name if names else None) or rater.pseudonym for rater in raters(store)}


def _columns(store: Store, rows: list[Any], called: Mapping[int, str]) -> dict[str, Any]:
    trusted = {rater.id for rater in raters(store) if rater.trusted}
    classes = store.plan.classes
    return {
        "item": [row["sample"] for row in rows],
        "rater": [called[row["rater"]] for row in rows],
        "label": [classes[row["label"]] for row in rows],
        "answer": [_WORDS.get(row["answer"]) for row in rows],
        "confidence": [row["confidence"] for row in rows],
        "seconds": [row["ms"] / 1000 if row["ms"] else None for row in rows],
        "time": pa.array([row["at"] for row in rows], pa.timestamp("us", "UTC")),
        "task": [row["task"] for row in rows],
        "part": [row["part"] for row in rows],
        "batch": [row["batch"] for row in rows],
        "trusted": [row["rater"] in trusted for row in rows],
        "kept": pa.array([row["kept"] for row in rows], pa.string()),
    }
