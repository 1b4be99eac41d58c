"""When the next request to a host may start: pure arithmetic on times."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc_plugins_search.download.http.rate_limit import KNOWN_HOSTS, RateLimiter


def test_starts_keep_their_interval() -> None:
    limiter = RateLimiter(0.5)
    assert [limiter.reserve(now) for now in (10.0, 10.0, 10.1, 12.0)] == pytest.approx(
        [0, 0.5, 0.9, 0]
    )


def test_no_interval_is_no_wait() -> None:
    limiter = RateLimiter(0.0)
    assert [limiter.reserve(1.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_bandwidth_is_kept_over_bodies() -> None:
    limiter = RateLimiter(0.0, megabits=8)  # a million bytes per second
    for _ in range(3):
        limiter.record_response(500_000, 10.0)
    assert limiter.reserve(10.0) == pytest.approx(1.5)
    assert limiter.reserve(99.0) == 0.0


def test_complaints_slow_down_and_content_speeds_up_again() -> None:
    limiter = RateLimiter(0.0)
    limiter.on_throttled()
    assert limiter.interval == 1.0
    limiter.on_throttled()
    assert limiter.interval == 2.0
    for _ in range(50):
        limiter.on_throttled()
    assert limiter.interval == 60.0
    for _ in range(100):
        limiter.record_response(1, 0.0)
    assert limiter.interval == 0.0


def test_it_never_gets_faster_than_allowed() -> None:
    limiter = RateLimiter(0.5)
    limiter.on_throttled()
    for _ in range(100):
        limiter.record_response(1, 0.0)
    assert limiter.interval == 0.5
    assert limiter.reserve(10.0) == 0.0
    limiter.set_min_interval(3.0)
    limiter.set_min_interval(2.0)
    assert limiter.interval == 3.0
    assert limiter.reserve(10.0) == 3.0


def test_pauses_hold_for_everybody() -> None:
    limiter = RateLimiter(0.0)
    limiter.pause_until(20.0)
    limiter.pause_until(15.0)
    assert limiter.pause_left(12.0) == 8.0
    assert limiter.pause_left(21.0) == 0.0


def test_a_host_is_at_rest_when_it_may_be_asked_and_has_not_complained() -> None:
    limiter = RateLimiter(0.5)
    limiter.reserve(10.0)
    assert not limiter.is_idle(10.4)
    assert limiter.is_idle(10.5)
    limiter.pause_until(20.0)
    assert not limiter.is_idle(19.9)
    assert limiter.is_idle(20.0)
    limiter.on_throttled()
    assert not limiter.is_idle(99.0)


@given(st.lists(st.floats(0, 5), min_size=1, max_size=40), st.floats(0.01, 3), st.booleans())
def test_two_starts_are_never_closer_than_the_interval(
    gaps: list[float], interval: float, complains: bool
) -> None:
    limiter, now, starts = RateLimiter(interval), 0.0, []
    for gap in gaps:
        now += gap
        starts.append(now + limiter.reserve(now))
        if complains:
            limiter.on_throttled()
    assert all(later - earlier >= interval - 1e-9 for earlier, later in pairwise(starts))


def test_what_wikimedia_asks_for() -> None:
    rules = KNOWN_HOSTS["upload.wikimedia.org"]
    assert (rules.connections, rules.megabits) == (2, 25)
