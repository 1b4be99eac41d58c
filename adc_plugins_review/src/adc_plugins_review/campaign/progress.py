"""How far a review is: of one person, and of all."""

from dataclasses import dataclass

import numpy as np

from adc_core.arrays import Array
from adc_plugins_review.campaign.raters import Rater
from adc_plugins_review.campaign.store import Store


@dataclass(frozen=True)
class Own:
    """What one person has done, and what there is to do.

    Attributes:
        done: answers, of votes and of selections.
        tasks: names of the tasks that the review has.
        minutes: that a batch of votes takes, by one's own pace or the usual one.
        left: tasks in which something is left for this person.
    """

    done: int
    tasks: tuple[str, ...]
    minutes: float
    left: tuple[str, ...]


_LEFT = {
    "vote": "SELECT 1 FROM item AS i WHERE task = 'vote' AND part <> 'gold' AND votes < wanted "
    "AND withdrawn IS NULL AND NOT EXISTS (SELECT 1 FROM vote WHERE vote.item = i.id AND "
    "vote.rater = ?1) UNION ALL SELECT 1 FROM batch WHERE rater = ?1 AND task = 'vote' AND "
    "submitted IS NULL LIMIT 1",
    "select": "SELECT 1 FROM item AS i WHERE task = 'select' AND NOT EXISTS (SELECT 1 FROM grid "
    "WHERE grid.number = i.place AND done IS NOT NULL) UNION ALL SELECT 1 FROM batch WHERE "
    "rater = ?1 AND task = 'select' AND submitted IS NULL LIMIT 1",
}
"""Whether anything of a task is left for a rater, or waits to be handed in."""


def own_progress(store: Store, rater: Rater) -> Own:
    """Sum up what somebody has done."""
    tasks = tuple(
        row[0]
        for row in store.db.execute(
            "SELECT DISTINCT task FROM item WHERE task IN ('vote', 'select') ORDER BY task DESC"
        )
    )
    done, ms = store.db.execute(
        "SELECT count(*), avg(vote.visible_ms) FROM vote WHERE rater = ?", (rater.id,)
    ).fetchone()
    left = [task for task in tasks if store.db.execute(_LEFT[task], (rater.id,)).fetchone()]
    return Own(done, tasks, max(0.5, round(20 * (ms or 3300) / 60_000, 1)), tuple(left))


@dataclass(frozen=True)
class TaskProgress:
    """How far one task is.

    Attributes:
        task: `vote` or `select`.
        items: how many samples it is about; of selections, grids.
        decided: how many of them have what they need.
        votes: answers that count; of selections, images that were picked.
        per_hour: answers of the last hour.
        hours_left: at that speed; None where nobody works.
    """

    task: str
    items: int
    decided: int
    votes: int
    per_hour: int
    hours_left: float | None


@dataclass(frozen=True)
class Part:
    """How far one part of the queue is.

    Attributes:
        part: `repair` or `audit`.
        items: how many.
        decided: how many have a verdict.
        wrong: how many of them were judged wrong.
        withdrawn: how many are not shown any more.
    """

    part: str
    items: int
    decided: int
    wrong: int
    withdrawn: int


def task_progress(store: Store) -> list[TaskProgress]:
    """Sum up each task of a review."""
    hour = store.clock() - 3_600_000_000
    found = []
    votes = (
        "SELECT count(*), coalesce(sum(at > ?1), 0) FROM vote JOIN item ON item.id = item "
        "WHERE task = ?2 AND part <> 'gold'"
    )
    items, decided = store.db.execute(
        "SELECT count(*), count(verdict) FROM item WHERE part IN ('repair', 'audit')"
    ).fetchone()
    grids, done = store.db.execute(
        "SELECT count(DISTINCT place), (SELECT count(DISTINCT number) FROM grid WHERE done IS NOT "
        "NULL) FROM item WHERE task = 'select'"
    ).fetchone()
    for task, total, ready in (("vote", items, decided), ("select", grids, done)):
        if not total:
            continue
        count, recent = store.db.execute(votes, (hour, task)).fetchone()
        needed = (total - ready) * (count / ready if ready else 1)
        left = round(needed / recent, 1) if recent else None
        found.append(TaskProgress(task, total, ready, count, recent, left))
    return found


def parts(store: Store) -> list[Part]:
    """Sum up the parts of the queue, for the eyes of the owner."""
    return [
        Part(*row)
        for row in store.db.execute(
            "SELECT part, count(*), count(verdict), coalesce(sum(verdict = 0), 0), "
            "count(withdrawn) FROM item WHERE part IN ('repair', 'audit') "
            "GROUP BY part ORDER BY part DESC"
        )
    ]


def answer_patterns(store: Store) -> dict[str, int]:
    """Count the samples with three votes or more by their first three: `YYY`, `YYU`, … `NNN`."""
    letters = {1: "Y", 0: "U", -1: "N"}
    first: dict[int, str] = {}
    for item, answer in store.db.execute(
        "SELECT item, answer FROM vote JOIN item ON item.id = item JOIN rater ON rater.id = rater "
        "WHERE task = 'vote' AND part <> 'gold' AND state NOT IN ('stopped', 'blocked') "
        "ORDER BY event"
    ):
        if len(first.get(item, "")) < 3:
            first[item] = first.get(item, "") + letters[answer]
    counts = dict.fromkeys(PATTERNS, 0)
    for said in first.values():
        if len(said) == 3:
            counts["".join(sorted(said, key="YUN".index))] += 1
    return counts


PATTERNS = ("YYY", "YYU", "YYN", "YUU", "YUN", "YNN", "UUU", "UUN", "UNN", "NNN")
"""What three people can say of a label, whoever said what: yes, unsure, no."""


def batch_figures(store: Store) -> tuple[list[int], list[float]]:
    """Return how many batches each rater has handed in, and the seconds that each batch took."""
    batches = [
        row[0]
        for row in store.db.execute(
            "SELECT count(*) FROM batch WHERE submitted IS NOT NULL GROUP BY rater"
        )
    ]
    seconds = [
        row[0] / 1000
        for row in store.db.execute(
            "SELECT visible_ms FROM batch WHERE submitted IS NOT NULL AND visible_ms > 0"
        )
    ]
    return batches, seconds


def picked_rows(store: Store) -> Array:
    """Return the rows that somebody picked for a test set, whatever was said of them since."""
    rows = store.db.execute(
        "SELECT DISTINCT row FROM item WHERE task = 'select' AND votes > 0 AND withdrawn IS NULL "
        "ORDER BY row"
    )
    return np.array([row[0] for row in rows], np.int64)
