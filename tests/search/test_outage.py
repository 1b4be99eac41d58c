"""Outages: what nobody answers is given up only after somebody else has answered."""

import pytest

from adc_core.errors import WorkError
from adc_plugins_search.collectors.outage import PATIENCE, Outage
from adc_plugins_search.collectors.outcomes import Reason, Refused

SILENT = Refused(Reason.UNREACHABLE, "no connection")
GONE = Refused(Reason.NOT_FOUND, "HTTP 404")


def silence(outage: Outage, hosts: list[str], count: int) -> None:
    """So many images, of these hosts in turn, without an answer."""
    for number in range(count):
        assert outage.lost(hosts[number % len(hosts)], f"key {number}", SILENT) == []


def test_silence_is_believed_when_somebody_else_has_answered() -> None:
    now = iter(range(0, 1000, 10))
    outage = Outage(clock=lambda: next(now))
    assert outage.lost("a", "1", SILENT) == []
    assert outage.lost("b", "2", SILENT) == []
    assert outage.answer("c") == [("1", SILENT), ("2", SILENT)]
    assert outage.lost("a", "3", SILENT) == []
    assert outage.lost("c", "4", GONE) == [("3", SILENT), ("4", GONE)]
    assert outage.lost("a", "5", SILENT) == []
    assert outage.rest() == [("5", SILENT)]
    assert outage.rest() == []


def test_an_answer_may_be_older_than_the_silence() -> None:
    """It was decoded meanwhile, and tells nothing of what was asked after it."""
    now = 0.0
    outage = Outage(clock=lambda: now)
    assert outage.lost("a", "1", SILENT) == []
    now = 4.0
    assert outage.lost("a", "2", SILENT) == []
    assert outage.answer("c") == []
    now = 6.0
    assert outage.answer("c") == [("1", SILENT)]
    assert outage.rest() == [("2", SILENT)]


@pytest.mark.parametrize("reason", [Reason.FORBIDDEN, Reason.CRASHED, Reason.TOO_SLOW])
def test_what_says_nothing_of_the_network_changes_nothing(reason: Reason) -> None:
    outage = Outage()
    assert outage.lost("a", "1", SILENT) == []
    refused = Refused(reason, "here")
    assert outage.lost("b", "2", refused) == [("2", refused)]
    assert outage.rest() == [("1", SILENT)]


@pytest.mark.parametrize(
    ("answered", "hosts"),
    [
        ([], list("abcdefghij")),
        (["a"], ["a"]),
        (["a", "b", "c", "d", "e"], ["x", "c", "a", "b"]),
    ],
)
def test_nobody_answers_any_more(answered: list[str], hosts: list[str]) -> None:
    outage = Outage(answered)
    silence(outage, hosts, PATIENCE - 1)
    with pytest.raises(WorkError) as raised:
        outage.lost(hosts[0], "last", SILENT)
    assert str(raised.value) == (
        f"none of the last {PATIENCE} images was answered for, by {len(hosts)} hosts: is the "
        "network up? None of them is given up; run the same again to go on"
    )


@pytest.mark.parametrize(
    ("answered", "hosts"),
    [
        ([], list("abcdefghi")),
        (["a", "b", "c"], ["b", "c"]),
        (["a"], [f"dead{number}" for number in range(30)]),
    ],
)
def test_hosts_that_have_never_answered_are_dead_ones(
    answered: list[str], hosts: list[str]
) -> None:
    outage = Outage(answered)
    silence(outage, hosts, 10 * PATIENCE)
    assert len(outage.rest()) == 10 * PATIENCE
