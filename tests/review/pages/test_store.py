"""The store: every answer once, leases, how many votes a sample gets, and who counts."""

import sqlite3
import threading
from itertools import product

import pytest

from adc_plugins_review.aggregation.verdicts import verdicts
from adc_plugins_review.campaign.answers import Answer, judge, rebuild, select, vote, withdraw
from adc_plugins_review.campaign.dealing import PLACES, deal, find_image, submit
from adc_plugins_review.campaign.deciding import decide
from adc_plugins_review.campaign.export import counted_votes, events
from adc_plugins_review.campaign.raters import add_rater, rater_of, set_state, token_of
from adc_plugins_review.campaign.store import LEASE, Refused

YES, UNSURE, NO = Answer(1), Answer(0), Answer(-1)


class Clock:
    """A clock that goes when it is told to."""

    now = 1_700_000_000_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def opened(make_review):
    stores = []

    def open_it(raters=2, **options):
        store = make_review(**options).store(clock=Clock())
        stores.append(store)
        return store, [add_rater(store) for _ in range(raters)]

    yield open_it
    for store in stores:
        store.close()


def say(store, rater, item, answer, key=None):
    batch, position = divmod(item.n, PLACES)
    return vote(
        store, rater, key or f"key-{rater.id}-{item.n}-{answer.answer}", batch, position, answer
    )


def test_one_request_counts_once_and_another_answer_under_its_key_is_refused(opened):
    store, (anna, _) = opened()
    item = deal(store, anna, "vote").items[0]
    assert say(store, anna, item, YES, "the same key") == 19
    assert say(store, anna, item, YES, "the same key") == 19
    with pytest.raises(Refused) as refused:
        say(store, anna, item, NO, "the same key")
    assert refused.value.status == 409
    assert len(events(store)) == 1


def test_an_answer_changes_until_the_batch_is_handed_in(opened):
    store, (anna, _) = opened()
    batch = deal(store, anna, "vote")
    say(store, anna, batch.items[0], NO)
    say(store, anna, batch.items[0], YES)
    submit(store, anna, batch.id)
    with pytest.raises(Refused) as refused:
        say(store, anna, batch.items[0], UNSURE)
    assert refused.value.status == 410
    assert counted_votes(store)["answer"].to_pylist() == ["yes"]
    assert events(store)["answer"].to_pylist() == ["no", "yes"]


def test_nobody_answers_for_what_was_dealt_to_somebody_else(opened):
    store, (anna, ben) = opened()
    item = deal(store, anna, "vote").items[0]
    for ask in (lambda: say(store, ben, item, YES), lambda: find_image(store, ben, item.n)):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.status == 404
    assert not len(events(store))


def test_a_doubt_asks_for_two_more_votes_and_a_yes_for_none(opened):
    store, people = opened(raters=4, budget=23)
    first = deal(store, people[0], "vote")
    for place, item in enumerate(first.items):
        say(store, people[0], item, NO if place == 0 else YES)
    rows = [{item.row for item in deal(store, one, "vote").items} for one in people[1:3]]
    assert rows == [{first.items[0].row}] * 2
    assert deal(store, people[3], "vote") is None, "two leases and one vote are three"
    store.clock.now += LEASE + 1
    assert len(deal(store, people[3], "vote").items) == 1, "a lease that ran out holds nothing"


def test_two_doubts_decide_and_later_votes_change_nothing(opened):
    store, people = opened(raters=3, budget=2)
    items = [deal(store, people[0], "vote").items[0]]
    say(store, people[0], items[0], NO)
    items += [deal(store, one, "vote").items[0] for one in people[1:]]
    say(store, people[1], items[1], UNSURE)
    assert store.db.execute("SELECT verdict, votes FROM item").fetchone()[:] == (0, 2)
    say(store, people[2], items[2], YES)
    assert store.db.execute("SELECT verdict, votes FROM item").fetchone()[:] == (0, 3)


def test_verdicts_are_those_of_the_specification(review_vectors):
    words = {"yes": 1, "unsure": 0, "no": -1}
    for one in review_vectors["verdicts_one_then_two"]:
        answers = [words[answer] for answer in one["answers"]]
        assert decide("one-then-two", answers) == one["verdict"], one
    for one in review_vectors["verdicts"]:
        assert decide("3", [words[answer] for answer in one["answers"]]) == one["majority"]


@pytest.mark.parametrize(
    ("plan", "rule", "min_votes", "most"),
    [
        ("1", "unanimous", 1, 1),
        ("3", "majority", None, 3),
        ("one-then-two", "one-then-two", None, 3),
    ],
)
def test_pages_and_certificate_decide_alike(plan, rule, min_votes, most):
    """One at a time, as answers come; all at once, from the table of votes."""
    for count in range(most + 1):
        for answers in product((1, 0, -1), repeat=count):
            together = verdicts([0] * count, answers, rule, items=1, min_votes=min_votes)
            assert {True: 1, False: -1, None: 0}[decide(plan, answers)] == together[0], answers


def test_votes_of_somebody_blocked_count_no_more_and_are_kept(opened):
    store, (anna, ben) = opened(budget=2, raters=2)
    say(store, anna, deal(store, anna, "vote").items[0], YES)
    assert deal(store, ben, "vote") is None
    set_state(store, anna.id, "blocked")
    assert not len(counted_votes(store))
    assert len(deal(store, ben, "vote").items) == 1, "the sample is asked about again"
    set_state(store, anna.id, "active")
    assert len(counted_votes(store)) == 1


def test_a_revoked_link_is_nobodys_and_its_votes_stay(opened):
    store, (anna, _) = opened()
    token = token_of(store, anna.id)
    say(store, anna, deal(store, anna, "vote").items[0], YES)
    set_state(store, anna.id, "revoked")
    assert rater_of(store, token) is None
    assert len(counted_votes(store)) == 1


def test_control_questions_are_one_of_each_kind_and_never_seen_twice(opened):
    store, (anna, _) = opened(gold=12, budget=60, votes="1")
    truths, seen = [], []
    while batch := deal(store, anna, "vote"):
        gold = store.db.execute(
            "SELECT item.id, truth FROM place JOIN item ON item.id = item WHERE batch = ? AND "
            "part = 'gold'",
            (batch.id,),
        ).fetchall()
        truths.append(sorted(one["truth"] for one in gold))
        seen += [one["id"] for one in gold]
        assert len(batch.items) <= 20
        assert len({item.row for item in batch.items}) == len(batch.items)
        for item in batch.items:
            say(store, anna, item, YES)
        submit(store, anna, batch.id)
    assert truths[:3] == [[-1, 1]] * 3
    assert len(seen) == len(set(seen))
    assert not set(counted_votes(store)["part"].to_pylist()) & {"gold"}
    assert len(counted_votes(store, gold=True)) == len(seen)


def test_a_picked_image_gets_a_yes_and_what_is_put_back_nothing(opened):
    store, (anna, ben) = opened(tasks=("select",), select_per_task=10, select_tasks=2)
    batch = deal(store, anna, "select")
    grid = batch.items[0].grid
    positions = [item.n % PLACES for item in batch.items if item.grid == grid]
    assert deal(store, ben, "select") is None, "both grids are with Anna"
    with pytest.raises(Refused, match="pick at least 4"):
        select(store, anna, "key-0", batch.id, grid, positions[:3], fewer=False, ms=0)
    assert select(store, anna, "key-1", batch.id, grid, positions[:5], fewer=False, ms=0) == 1
    assert select(store, anna, "key-2", batch.id, grid, positions[:4], fewer=False, ms=0) == 1
    assert select(store, anna, "key-1", batch.id, grid, positions[:5], fewer=False, ms=0) == 1
    assert counted_votes(store)["task"].to_pylist() == ["select"] * 4
    with pytest.raises(Refused):
        select(store, anna, "key-3", batch.id, grid, [999], fewer=True, ms=0)


def test_an_expert_decides_and_takes_it_back(opened):
    store, (anna, _) = opened()
    for number, answer in enumerate(
        (Answer(1, label=2), Answer(-1, label=0), Answer(None, label=0))
    ):
        judge(store, anna, f"key-{number}", 7, "toy-007", 0, answer)
        votes = counted_votes(store).to_pylist()
        assert [(one["label"], one["answer"]) for one in votes] == [
            [("blue", "yes")], [("red", "no")], []
        ][number]  # fmt: skip


def test_a_disk_that_was_full_for_a_while_loses_nothing(opened):
    store, (anna, _) = opened()
    items = deal(store, anna, "vote").items
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {pages}")
    kept = 0
    with pytest.raises(sqlite3.OperationalError, match="full"):
        for number in range(10_000):
            say(store, anna, items[number % 20], (YES, NO)[number % 2], f"key {number}")
            kept += 1
    store.db.execute("PRAGMA max_page_count = 100000")
    assert len(events(store)) == kept
    say(store, anna, items[kept % 20], (YES, NO)[kept % 2], f"key {kept}")
    assert len(events(store)) == kept + 1


def test_present_answers_follow_from_the_events_alone(opened):
    store, people = opened(raters=3, budget=60, votes="3")
    for number, person in enumerate(people):
        for place, item in enumerate(deal(store, person, "vote").items):
            say(store, person, item, (YES, UNSURE, NO)[(place + number) % 3])
            if place % 4 == 0:
                say(store, person, item, NO)
    judge(store, people[0], "one-key", 7, "toy-007", 0, Answer(1, label=2))
    judge(store, people[0], "two-key", 7, "toy-007", 0, Answer(None, label=0))
    tables = [
        [tuple(row) for row in store.db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
        for table in ("vote", "item")
    ]
    store.db.execute("DELETE FROM vote WHERE rater = 2")
    store.db.execute("UPDATE item SET votes = 9, verdict = 1")
    rebuild(store)
    again = [
        [tuple(row) for row in store.db.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
        for table in ("vote", "item")
    ]
    assert again == tables


def test_a_withdrawn_sample_is_shown_no_more_and_its_votes_are_left_out(opened):
    store, (anna, ben) = opened(budget=2, votes="1")
    item = deal(store, anna, "vote").items[0]
    say(store, anna, item, YES)
    withdraw(store, [find_image(store, anna, item.n)[0]], "its image has changed")
    assert deal(store, ben, "vote") is None
    assert not len(counted_votes(store))


def test_fifty_votes_at_once_for_one_sample_are_fifty_votes(make_review):
    review = make_review(budget=1, votes="1")
    store = review.store()
    people = [add_rater(store) for _ in range(50)]
    number = store.db.execute("SELECT id FROM item").fetchone()[0]
    for batch, one in enumerate(people, 1):
        with store.transaction() as db:
            db.execute(
                "INSERT INTO batch(id, task, rater, begun) VALUES (?, 'vote', ?, 0)",
                (batch, one.id),
            )
            db.execute("INSERT INTO place VALUES (?, 0, ?)", (batch, number))
    store.close()

    def one_vote(batch, person):
        own = review.store()
        vote(own, person, "one key", batch, 0, YES)
        own.close()

    threads = [threading.Thread(target=one_vote, args=pair) for pair in enumerate(people, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = review.store()
    assert len(counted_votes(store)) == 50
    assert store.db.execute("SELECT votes, verdict FROM item").fetchone()[:] == (50, 1)
    store.close()
