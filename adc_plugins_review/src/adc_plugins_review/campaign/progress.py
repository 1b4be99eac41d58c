"""How far a review is: of one person, and of all."""

from dataclasses import dataclass

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
