"""What one host may cost before it is given up: pure arithmetic on times."""

import pytest

from adc_plugins_search.download.http.host_budget import MAX_LOST_IMAGES, HostBudget
from adc_plugins_search.download.outcomes import Reason, Refused

BUSY = Refused(Reason.SERVER_ERROR, "HTTP 429", lasting=False)
SILENT = Refused(Reason.UNREACHABLE, "no connection")
GIVEN_UP = Refused(Reason.GIVEN_UP, "a:80 was given up: HTTP 429", lasting=False)


def budget_of(most_seconds: float = 300, fewest_attempts: int = 4) -> HostBudget:
    return HostBudget("a:80", most_seconds, fewest_attempts)


def test_so_many_lost_images_are_enough() -> None:
    budget = budget_of()
    for _ in range(MAX_LOST_IMAGES - 1):
        budget.on_failure(BUSY, for_good=True)
    assert budget.refused is None
    budget.on_failure(BUSY, for_good=True)
    assert budget.refused == GIVEN_UP


def test_an_answer_makes_the_budget_whole_again() -> None:
    budget = budget_of()
    for _ in range(MAX_LOST_IMAGES - 1):
        budget.on_failure(BUSY, for_good=True)
        budget.add_time(0, 299)
    budget.on_answer()
    budget.on_failure(BUSY, for_good=True)
    assert budget.refused is None


def test_seconds_that_pass_together_count_once() -> None:
    budget = budget_of(most_seconds=10, fewest_attempts=1)
    for lane in range(4):  # each of them lost ten seconds, all of them eleven
        budget.add_time(lane / 4, 10 + lane / 4)
        budget.on_failure(BUSY, for_good=False)
        assert (budget.refused is None) == (lane == 0)


def test_it_gets_as_many_attempts_as_an_image_however_long_they_take() -> None:
    budget = budget_of(most_seconds=0, fewest_attempts=3)
    for attempt in (1, 2, 3):
        assert budget.refused is None
        budget.add_time(attempt, attempt + 0.5)
        budget.on_failure(BUSY, for_good=False)
    assert budget.refused == GIVEN_UP


def test_time_in_between_does_not_count() -> None:
    budget = budget_of(most_seconds=10, fewest_attempts=1)
    for start in (0, 1000, 2000):
        budget.add_time(start, start + 3)
        budget.on_failure(BUSY, for_good=False)
    assert budget.refused is None


@pytest.mark.parametrize(("why", "reason"), [(BUSY, Reason.GIVEN_UP), (SILENT, Reason.UNREACHABLE)])
def test_a_network_that_is_down_can_still_be_told(why: Refused, reason: Reason) -> None:
    budget = budget_of(most_seconds=-1, fewest_attempts=1)
    budget.on_failure(why, for_good=False)
    assert budget.refused is not None
    assert budget.refused.reason is reason
    assert not budget.refused.lasting


def test_what_it_is_given_up_for_is_said_once_and_for_all() -> None:
    budget = budget_of(most_seconds=-1, fewest_attempts=1)
    budget.on_failure(BUSY, for_good=False)
    budget.on_failure(SILENT, for_good=False)
    budget.on_answer()
    assert budget.refused == GIVEN_UP
