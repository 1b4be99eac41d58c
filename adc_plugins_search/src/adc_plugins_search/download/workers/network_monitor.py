"""Tell a network that is down from servers that are.

What nobody answers is given up for good only after somebody else has answered: a collection that
runs through the night must not write off a hundred thousand images because of a broken cable.
"""

import socket
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic

from adc_core import WorkError
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.http.ssrf_guard import guarded_sockets, split_endpoint
from adc_plugins_search.download.outcomes import Outcome, Reason, Refused

MIN_SILENT_HOSTS = 10
"""Hosts of which one at least answers, if the network does."""
MAX_PROBES = 3
"""Hosts that are asked for a connection, to know whether the network is up."""
ANSWER_DELAY = 5.0
"""Seconds that an answer may be older than the news of it: images wait to be decoded."""

_SAYS_NOTHING_OF_NETWORK = frozenset(
    {Reason.FORBIDDEN, Reason.CRASHED, Reason.ERROR, Reason.TOO_SLOW, Reason.GIVEN_UP}
)
"""Refusals for which no server need have been asked, or a connection made."""

Ended = tuple[str, Outcome]


class NetworkMonitor:
    """Holds back the refusals that a network which is down may have caused.

    Args:
        max_consecutive: images in a row without an answer that may be chance; 0 for any number.
        accepts_connections: whether a host does now.
        answered_hosts: hosts that have answered at an earlier attempt.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        max_consecutive: int,
        accepts_connections: Callable[[str], bool],
        answered_hosts: Iterable[str] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._max_consecutive = max_consecutive
        self._takes_connections = accepts_connections
        self._answered_hosts = dict.fromkeys(answered_hosts)  # in order, the last one at the end
        self._clock = clock
        self._held: deque[tuple[float, Ended]] = deque()
        self._consecutive = 0
        self._silent_hosts: set[str] = set()

    def on_failure(self, host: str, key: str, refused: Refused) -> list[Ended]:
        """Take a refusal; return the refusals that can be recorded by now.

        Raises:
            WorkError: nobody answers any more.
        """
        if refused.reason in _SAYS_NOTHING_OF_NETWORK:
            return [(key, refused)]
        if refused.reason is not Reason.UNREACHABLE:
            return [*self.on_answer(host), (key, refused)]
        self._held.append((self._clock(), (key, refused)))
        self._consecutive += 1
        self._silent_hosts.add(host)
        if not self._max_consecutive or self._consecutive < self._max_consecutive:
            return []
        if self._is_down():
            raise WorkError(
                f"none of the last {self._consecutive} images was answered for, by "
                f"{len(self._silent_hosts)} hosts: is the network up? None of them is given up; "
                "run the same again to go on, with `max_consecutive_unreachable: 0` if these hosts "
                "are gone for good"
            )
        self._reset()
        return self.flush()

    def _is_down(self) -> bool:
        if not self._answered_hosts:
            return len(self._silent_hosts) >= MIN_SILENT_HOSTS
        probed = list(self._answered_hosts)[-MAX_PROBES:]
        return not any(self._takes_connections(host) for host in probed)

    def _reset(self) -> None:
        self._consecutive = 0
        self._silent_hosts.clear()

    def on_answer(self, host: str) -> list[Ended]:
        """Note that a server has answered; return the refusals that can be recorded by now."""
        self._answered_hosts.pop(host, None)
        self._answered_hosts[host] = None
        self._reset()
        return self._released(until=self._clock() - ANSWER_DELAY)

    def flush(self) -> list[Ended]:
        """Return the refusals that are still held back, to be recorded at the end."""
        return self._released(until=self._clock())

    def _released(self, until: float) -> list[Ended]:
        found = []
        while self._held and self._held[0][0] <= until:
            found.append(self._held.popleft()[1])
        return found


def accepts_connections(host: str, rules: FetchRules) -> bool:
    """Tell whether a host can be connected to; the guard against private addresses holds here too.

    Args:
        host: its name and port.
        rules: what may be connected to, and how long that may take.
    """
    make = guarded_sockets(rules.allowed)
    with suppress(OSError):
        for info in socket.getaddrinfo(*split_endpoint(host), type=socket.SOCK_STREAM):
            with suppress(OSError), make(info) as connection:
                connection.settimeout(rules.connect_timeout)
                connection.connect(info[4])
                return True
    return False
