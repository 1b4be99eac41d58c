"""Who does not look at the images is noticed by control questions, and hardly anybody else."""

import math

import numpy as np
import pytest

from adc_plugins_review.campaign.answers import Answer, vote
from adc_plugins_review.campaign.dealing import PLACES, deal, submit
from adc_plugins_review.campaign.export import counted_votes
from adc_plugins_review.campaign.raters import add_rater, raters, set_state
from adc_plugins_review.campaign.signals import (
    gold_tail,
    rater_signals,
    stop_who_does_not_look,
)
from adc_plugins_review.campaign.store import Refused
from adc_plugins_review.web.owner_pages import noise_rates

WAYS = (
    ([1] * 20, [0.4] * 20, 10, 5),
    ([1, -1, 1, 0, 1, 1, -1, 1, 1, -1], [2.1, 3.0, 1.9, 6.0, 2.2, 1.8, 4.0, 2.5, 2.0, 3.1], 5, 5),
    ([1, -1] * 10, [0.7] * 20, 12, 4),
)


def test_signals_are_those_of_the_specification(review_vectors):
    for way, wanted in zip(WAYS, review_vectors["rater_signals"], strict=True):
        found = vars(rater_signals(*way))
        for name in found:
            assert found[name] == pytest.approx(wanted[name], abs=1e-12), name


def test_tails_are_those_of_the_specification(review_vectors):
    for one in review_vectors["gold_tail"]:
        assert gold_tail(one["shown"], one["right"], one["least"]) == pytest.approx(
            one["tail"], abs=1e-12
        )


def test_table_7_of_the_paper(review_vectors):
    given = review_vectors["table_7"]
    patterns = ("YYY", "YYU", "YYN", "YUU", "YUN", "YNN", "UUU", "UUN", "UNN", "NNN")
    counts = {name: given["counts_of_10000"].get(name, 0) for name in patterns}
    counts["NNN"] = given["counts_of_10000"]["else"]
    for one in noise_rates(counts):
        assert one["rate"] == pytest.approx(given["noise"][one["rule"]], abs=1e-12)
        assert one["low"] < one["rate"] < one["high"]
    assert math.isclose(noise_rates(dict.fromkeys(patterns, 0))[0]["high"], 1)


def votes_until_stopped(says, rng, batches=20):
    """How many votes, and how many control questions, until a rater is stopped; None if never."""
    answers, shown, right = [], 0, 0
    for _ in range(batches):
        # As dealt: 18 samples of which 5 % are wrong, one right control question, one wrong one.
        truths = [*(rng.random(18) > 0.05), True, False]
        given = [says(truth, rng) for truth in truths]
        answers += given
        shown += 2
        right += (given[18] == 1) + (given[19] != 1)
        if rater_signals(answers, [3.0] * len(answers), shown, right).stop:
            return len(answers), shown
    return None


def honest(truth, rng):
    return 1 if truth == (rng.random() < 0.9) else int(rng.choice([0, -1]))


def lazy(_, __):
    return 1


def by_chance(_, rng):
    return int(rng.choice([1, 0, -1]))


def test_who_answers_honestly_goes_on_and_who_does_not_look_is_stopped():
    rng = np.random.default_rng(0)
    stopped = [votes_until_stopped(honest, rng, batches=25) for _ in range(300)]
    assert sum(one is not None for one in stopped) <= 3
    for says in (lazy, by_chance):
        ends = [votes_until_stopped(says, rng) for _ in range(200)]
        found = [one for one in ends if one is not None and (one[0] <= 400 or one[1] <= 40)]
        assert len(found) / len(ends) >= STOPPED[says.__name__], says


# Who answers by chance is right half the time: 40 questions do not always tell that from 0.7.
STOPPED = {"lazy": 0.95, "by_chance": 0.55}


def test_who_is_wrong_on_control_questions_gets_no_more_until_the_owner_says_so(
    make_review,
):
    store = make_review(gold=40, budget=150, votes="1").store()
    person, batches = add_rater(store), 0
    while not stop_who_does_not_look(store, person):
        batch = deal(store, person, "vote")
        truths = [
            row[0]
            for row in store.db.execute(
                "SELECT truth FROM place JOIN item ON item.id = item WHERE batch = ? "
                "ORDER BY position",
                (batch.id,),
            )
        ]
        for item, truth in zip(batch.items, truths, strict=True):
            number, position = divmod(item.n, PLACES)
            vote(store, person, f"key-{item.n}", number, position, Answer(-(truth or 1), ms=3000))
        submit(store, person, batch.id)
        batches += 1
    assert batches == 5, "the tenth control question is in the fifth batch"
    (stopped,) = raters(store)
    with pytest.raises(Refused, match="the last task"):
        deal(store, stopped, "vote")
    assert not len(counted_votes(store))
    set_state(store, person.id, "active")
    assert len(counted_votes(store)) == 90
    assert not stop_who_does_not_look(store, raters(store)[0])
    store.close()
