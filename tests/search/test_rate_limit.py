"""When the next request to a host may start: pure arithmetic on times."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc_plugins_search.download.http.rate_limit import KNOWN_HOSTS, Pace


def test_starts_keep_their_interval() -> None:
    pace = Pace(0.5)
    assert [pace.start(now) for now in (10.0, 10.0, 10.1, 12.0)] == pytest.approx([0, 0.5, 0.9, 0])


def test_no_interval_is_no_wait() -> None:
    pace = Pace(0.0)
    assert [pace.start(1.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_bandwidth_is_kept_over_bodies() -> None:
    pace = Pace(0.0, megabits=8)  # a million bytes per second
    for _ in range(3):
        pace.took(500_000, 10.0)
    assert pace.start(10.0) == pytest.approx(1.5)
    assert pace.start(99.0) == 0.0


def test_complaints_slow_down_and_content_speeds_up_again() -> None:
    pace = Pace(0.0)
    pace.complained()
    assert pace.interval == 1.0
    pace.complained()
    assert pace.interval == 2.0
    for _ in range(50):
        pace.complained()
    assert pace.interval == 60.0
    for _ in range(100):
        pace.took(1, 0.0)
    assert pace.interval == 0.0


def test_it_never_gets_faster_than_allowed() -> None:
    pace = Pace(0.5)
    pace.complained()
    for _ in range(100):
        pace.took(1, 0.0)
    assert pace.interval == 0.5
    assert pace.start(10.0) == 0.0
    pace.keep_apart(3.0)
    pace.keep_apart(2.0)
    assert pace.interval == 3.0
    assert pace.start(10.0) == 3.0


def test_pauses_hold_for_everybody() -> None:
    pace = Pace(0.0)
    pace.pause_until(20.0)
    pace.pause_until(15.0)
    assert pace.paused(12.0) == 8.0
    assert pace.paused(21.0) == 0.0


def test_a_host_is_at_rest_when_it_may_be_asked_and_has_not_complained() -> None:
    pace = Pace(0.5)
    pace.start(10.0)
    assert not pace.at_rest(10.4)
    assert pace.at_rest(10.5)
    pace.pause_until(20.0)
    assert not pace.at_rest(19.9)
    assert pace.at_rest(20.0)
    pace.complained()
    assert not pace.at_rest(99.0)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=40), st.floats(0.01, 3), st.booleans())
def test_two_starts_are_never_closer_than_the_interval(
    gaps: list[float], interval: float, complains: bool
) -> None:
    pace, now, starts = Pace(interval), 0.0, []
    for gap in gaps:
        now += gap
        starts.append(now + pace.start(now))
        if complains:
            pace.complained()
    assert all(later - earlier >= interval - 1e-9 for earlier, later in pairwise(starts))


def test_what_wikimedia_asks_for() -> None:
    rules = KNOWN_HOSTS["upload.wikimedia.org"]
    assert (rules.connections, rules.megabits) == (2, 25)
