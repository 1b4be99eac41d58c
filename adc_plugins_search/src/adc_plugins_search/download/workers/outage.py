"""Telling a network that is down from servers that are.

What nobody answers is given up for good only after somebody else has answered: a collection that
runs through the night must not write off a hundred thousand images because of a broken cable.
"""

import socket
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic

from adc_core.errors import WorkError
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.http.ssrf_guard import guarded_sockets, split_endpoint
from adc_plugins_search.download.outcomes import Outcome, Reason, Refused

MANY = 10
"""Hosts of which one at least answers, if the network does."""
WITNESSES = 3
"""Hosts that are asked for a connection, to know whether the network is up."""
DELAY = 5.0
"""Seconds that an answer may be older than the news of it: pictures wait to be decoded."""

_SAYS_NOTHING = frozenset(
    {Reason.FORBIDDEN, Reason.CRASHED, Reason.ERROR, Reason.TOO_SLOW, Reason.GIVEN_UP}
)
"""Refusals for which no server need have been asked, or a connection stood."""

Ended = tuple[str, Outcome]


class Outage:
    """Holds back the refusals that a network which is down may have caused.

    Args:
        patience: images in a row without an answer that may be chance; 0 for any number.
        takes_connections: whether a host does now.
        answered: names of hosts that have answered at an earlier attempt.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        patience: int,
        takes_connections: Callable[[str], bool],
        answered: Iterable[str] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._patience = patience
        self._takes_connections = takes_connections
        self._answered = dict.fromkeys(answered)  # in order, the last one at the end
        self._clock = clock
        self._held: deque[tuple[float, Ended]] = deque()
        self._in_a_row = 0
        self._silent: set[str] = set()

    def lost(self, host: str, key: str, refused: Refused) -> list[Ended]:
        """Hear that an image is refused; gives what can be written down by now.

        Raises:
            WorkError: nobody answers any more.
        """
        if refused.reason in _SAYS_NOTHING:
            return [(key, refused)]
        if refused.reason is not Reason.UNREACHABLE:
            return [*self.answer(host), (key, refused)]
        self._held.append((self._clock(), (key, refused)))
        self._in_a_row += 1
        self._silent.add(host)
        if not self._patience or self._in_a_row < self._patience:
            return []
        if self._is_out():
            raise WorkError(
                f"none of the last {self._in_a_row} images was answered for, by "
                f"{len(self._silent)} hosts: is the network up? None of them is given up; run the "
                "same again to go on, with `silence: 0` if these hosts are gone for good"
            )
        self._start_again()
        return self.rest()

    def _is_out(self) -> bool:
        if not self._answered:
            return len(self._silent) >= MANY
        witnesses = list(self._answered)[-WITNESSES:]
        return not any(self._takes_connections(host) for host in witnesses)

    def _start_again(self) -> None:
        self._in_a_row = 0
        self._silent.clear()

    def answer(self, host: str) -> list[Ended]:
        """Hear that a server has answered; gives what can be written down by now."""
        self._answered.pop(host, None)
        self._answered[host] = None
        self._start_again()
        return self._released(until=self._clock() - DELAY)

    def rest(self) -> list[Ended]:
        """What is held back still, to be written down when all has ended."""
        return self._released(until=self._clock())

    def _released(self, until: float) -> list[Ended]:
        found = []
        while self._held and self._held[0][0] <= until:
            found.append(self._held.popleft()[1])
        return found


def takes_connections(host: str, rules: FetchRules) -> bool:
    """Whether a host can be connected to; the guard against private addresses holds here too.

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
