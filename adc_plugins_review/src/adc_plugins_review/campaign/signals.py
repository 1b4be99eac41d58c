"""Whether somebody looks at the images: control questions, and signs that a person should judge."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from adc_plugins_review.campaign.raters import Rater, set_state
from adc_plugins_review.campaign.store import Store

LEAST_RIGHT = 0.7
"""Share of control questions that somebody who looks answers rightly, at the least."""

HASTY = 0.6
"""Seconds below which nobody has judged an image."""


@dataclass(frozen=True)
class Signals:
    """What a rater's answers look like.

    Attributes:
        votes: how many.
        median_seconds: visible time of an answer; NaN where no time is known.
        share_hasty: share of the answers that took less than `HASTY` seconds.
        answer_entropy: of yes, unsure and no, 0 (always the same) … 1 (equally often).
        longest_run: of equal answers.
        gold_tail: chance of so few right answers to the control questions, or fewer, of somebody
            who answers `LEAST_RIGHT` of them rightly.
        stop: give no more batches. Control questions alone decide, so that nobody is left out for
            what he says of the samples under review.
        look_at: a person should look at this rater.
    """

    votes: int
    median_seconds: float
    share_hasty: float
    answer_entropy: float
    longest_run: int
    gold_tail: float
    stop: bool
    look_at: bool


def gold_tail(shown: int, right: int, least: float = LEAST_RIGHT) -> float:
    """Return P(Bin(shown, least) ≤ right)."""
    return sum(
        math.comb(shown, k) * least**k * (1 - least) ** (shown - k) for k in range(right + 1)
    )


def rater_signals(
    answers: Sequence[int], seconds: Sequence[float], gold_shown: int, gold_right: int
) -> Signals:
    """Sum up one rater.

    Args:
        answers: 1 yes, 0 unsure, -1 no, in the order in which they came.
        seconds: visible time of each; NaN where nobody knows, as of votes from elsewhere.
        gold_shown: control questions that were answered.
        gold_right: of them, rightly.
    """
    n = len(answers)
    if not n:
        return Signals(0, math.nan, 0.0, 0.0, 0, 1.0, stop=False, look_at=False)
    shares = [count / n for count in Counter(answers).values()]
    entropy = -sum(share * math.log(share) for share in shares) / math.log(3)
    longest = run = 1
    for before, now in pairwise(answers):
        run = run + 1 if now == before else 1
        longest = max(longest, run)
    known = np.asarray(seconds)[~np.isnan(seconds)]
    median = float(np.median(known)) if len(known) else math.nan
    hasty = float(np.mean(known < HASTY)) if len(known) else 0.0
    tail = gold_tail(gold_shown, gold_right)
    look_at = (
        median < HASTY
        or hasty > 0.3
        or (n >= 20 and entropy < 0.1)
        or (gold_shown >= 5 and tail < 0.05)
    )
    stop = gold_shown >= 10 and tail < 0.01
    return Signals(n, median, hasty, entropy, longest, tail, stop=stop, look_at=look_at)


def gold_of(store: Store, rater: int) -> tuple[int, int]:
    """Count the control questions that a rater answered, and the right answers among them.

    One whose label is right is answered rightly by yes, one whose label is wrong by anything else.
    """
    rows = store.db.execute(
        "SELECT answer, truth FROM vote JOIN item ON item.id = vote.item "
        "WHERE rater = ? AND part = 'gold'",
        (rater,),
    ).fetchall()
    return len(rows), sum((answer == 1) == (truth == 1) for answer, truth in rows)


def signals_of(store: Store, rater: int) -> Signals:
    """Sum up the answers of a rater on the pages for votes."""
    rows = store.db.execute(
        "SELECT answer, vote.visible_ms FROM vote JOIN item ON item.id = vote.item "
        "WHERE rater = ? AND task = 'vote' ORDER BY event",
        (rater,),
    ).fetchall()
    shown, right = gold_of(store, rater)
    seconds = [math.nan if row[1] is None else row[1] / 1000 for row in rows]
    return rater_signals([row[0] for row in rows], seconds, shown, right)


def stop_who_does_not_look(store: Store, rater: Rater) -> bool:
    """Give a rater no more batches where the control questions say so; tell whether."""
    pardoned = store.db.execute("SELECT pardoned FROM rater WHERE id = ?", (rater.id,))
    if rater.state != "active" or pardoned.fetchone()[0] or rater.trusted:
        return False
    stop = signals_of(store, rater.id).stop
    if stop:
        set_state(store, rater.id, "stopped")
    return stop
