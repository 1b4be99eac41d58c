"""Outages: what nobody answers is given up only after somebody else has answered."""

import socket
from contextlib import ExitStack

import pytest

from adc_core.errors import WorkError
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.outcomes import Reason, Refused
from adc_plugins_search.download.workers.network_monitor import NetworkMonitor, accepts_connections

SILENT = Refused(Reason.UNREACHABLE, "no connection")
GONE = Refused(Reason.NOT_FOUND, "HTTP 404")


class Network:
    """Which hosts take connections, and which were tried."""

    def __init__(self, *up: str) -> None:
        self.up = set(up)
        self.tried: list[str] = []

    def takes(self, host: str) -> bool:
        self.tried.append(host)
        return host in self.up


def silence(monitor: NetworkMonitor, hosts: list[str], count: int) -> None:
    """So many images, of these hosts in turn, without an answer."""
    for number in range(count):
        assert monitor.on_failure(hosts[number % len(hosts)], f"key {number}", SILENT) == []


def test_silence_is_believed_when_somebody_else_has_answered() -> None:
    now = iter(range(0, 1000, 10))
    monitor = NetworkMonitor(50, Network().takes, clock=lambda: next(now))
    assert monitor.on_failure("a", "1", SILENT) == []
    assert monitor.on_failure("b", "2", SILENT) == []
    assert monitor.on_answer("c") == [("1", SILENT), ("2", SILENT)]
    assert monitor.on_failure("a", "3", SILENT) == []
    assert monitor.on_failure("c", "4", GONE) == [("3", SILENT), ("4", GONE)]
    assert monitor.on_failure("a", "5", SILENT) == []
    assert monitor.flush() == [("5", SILENT)]
    assert monitor.flush() == []


def test_an_answer_may_be_older_than_the_silence() -> None:
    """It was decoded meanwhile, and tells nothing of what was asked after it."""
    now = 0.0
    monitor = NetworkMonitor(50, Network().takes, clock=lambda: now)
    assert monitor.on_failure("a", "1", SILENT) == []
    now = 4.0
    assert monitor.on_failure("a", "2", SILENT) == []
    assert monitor.on_answer("c") == []
    now = 6.0
    assert monitor.on_answer("c") == [("1", SILENT)]
    assert monitor.flush() == [("2", SILENT)]


@pytest.mark.parametrize("reason", [Reason.FORBIDDEN, Reason.CRASHED, Reason.TOO_SLOW])
def test_what_says_nothing_of_the_network_changes_nothing(reason: Reason) -> None:
    monitor = NetworkMonitor(50, Network().takes)
    assert monitor.on_failure("a", "1", SILENT) == []
    refused = Refused(reason, "here")
    assert monitor.on_failure("b", "2", refused) == [("2", refused)]
    assert monitor.flush() == [("1", SILENT)]


@pytest.mark.parametrize(
    ("answered", "hosts", "tried"),
    [
        ([], list("abcdefghij"), []),
        (["a"], ["a"], ["a"]),
        (["a", "b", "c", "d", "e"], ["x", "c", "a", "b"], ["e", "d", "c"]),
    ],
)
def test_nobody_answers_any_more(answered: list[str], hosts: list[str], tried: list[str]) -> None:
    network = Network()
    monitor = NetworkMonitor(50, network.takes, answered)
    silence(monitor, hosts, 49)
    with pytest.raises(WorkError) as raised:
        monitor.on_failure(hosts[0], "last", SILENT)
    assert str(raised.value) == (
        f"none of the last 50 images was answered for, by {len(hosts)} hosts: is the network up? "
        "None of them is given up; run the same again to go on, with "
        "`max_consecutive_unreachable: 0` if these hosts are gone for good"
    )
    assert sorted(network.tried) == sorted(tried)


def test_where_a_host_takes_connections_the_others_are_dead() -> None:
    """However many of them there are: retries come last, so the end of a list is all silence."""
    network = Network("b")
    monitor = NetworkMonitor(10, network.takes)
    monitor.on_answer("b")
    monitor.on_answer("a")
    silence(monitor, ["a", "c", "d"], 9)
    assert [key for key, _ in monitor.on_failure("a", "last", SILENT)] == [
        *(f"key {number}" for number in range(9)),
        "last",
    ]
    assert network.tried == ["b"]
    silence(monitor, ["a", "c", "d"], 9)
    assert len(monitor.on_failure("a", "last", SILENT)) == 10


def test_a_few_dead_hosts_are_no_outage() -> None:
    monitor = NetworkMonitor(10, Network().takes)
    for number in range(100):
        monitor.on_failure("abcdefghi"[number % 9], f"key {number}", SILENT)
    assert monitor.flush() == []  # they are told on the way


def test_nothing_is_an_outage_where_that_is_asked_for() -> None:
    monitor = NetworkMonitor(0, Network().takes, ["a"])
    silence(monitor, list("abcdefghijkl"), 500)
    assert len(monitor.flush()) == 500


def test_whether_a_host_takes_connections() -> None:
    with ExitStack() as stack:
        open_one = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = open_one.getsockname()[1]
        rules = FetchRules(
            max_connections=1, max_connections_per_host=1, timeout=1, connect_timeout=1,
            read_timeout=1, retries=0, backoff=0, max_wait=0, max_bytes=1, user_agent="",
            allowed=frozenset({("127.0.0.1", port)}),
        )  # fmt: skip
        assert accepts_connections(f"127.0.0.1:{port}", rules)
        assert accepts_connections(f"localhost:{port}", rules)
        assert not accepts_connections(f"127.0.0.2:{port}", rules)  # the guard
        assert not accepts_connections(f"no-such-host.invalid:{port}", rules)
    assert not accepts_connections(f"127.0.0.1:{port}", rules)
