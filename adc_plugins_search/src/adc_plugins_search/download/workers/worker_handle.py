"""Dealing errands to one worker: few at a time, and few of one host.

So a slow host keeps nobody else waiting, and a worker's memory does not grow with the list.
"""

import subprocess
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from adc_plugins_search.download.workers.protocol import Job, Trip, line_of
from adc_plugins_search.download.workers.task_queue import ErrandQueue


@dataclass(slots=True)
class _Line:
    """The errands of one host that wait, and how many are with the worker.

    Attributes:
        unread: how many still stand in the queue on disk.
        last: the number of the one that was read last.
        returned: those that came from another host, or back from a dead worker.
        away: how many are with the worker.
        in_turn: whether the line stands in the worker's turn.
    """

    unread: int = 0
    last: int = 0
    returned: list[Trip] = field(default_factory=list)
    away: int = 0
    in_turn: bool = False


class Member:
    """One worker, as the coordinator knows it.

    Args:
        job: what it works by.
        queue: holds the errands.

    Attributes:
        turn: hosts that may be given another errand, in turn.
        away: errands that the worker holds, by key.
        unsealed: pictures in its open shard, lost if it dies.
        process: where it is one.
        inbox: leads to it while it shall work.
        ended: whether it is not at work.
    """

    def __init__(self, job: Job, queue: ErrandQueue) -> None:
        self.job = job
        self._queue = queue
        self.window = max(64, 4 * job.share)
        self.lines: dict[str, _Line] = {}
        self.turn: deque[str] = deque()
        self.away: dict[str, Trip] = {}
        self.unsealed: dict[str, Trip] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.inbox: Connection | None = None
        self.ended = True

    def expect(self, name: str, count: int) -> None:
        """Have a line of the queue wait for its turn."""
        line = self.lines[name] = _Line(unread=count)
        self._give_turn(name, line)

    def take_back(self, trip: Trip) -> None:
        """Have an errand under way wait for its host's turn."""
        name = line_of(trip.errand, trip.at)
        line = self.lines.setdefault(name, _Line())
        line.returned.append(trip)
        self._give_turn(name, line)

    def _give_turn(self, name: str, line: _Line) -> None:
        waits = line.unread or line.returned
        if waits and not line.in_turn and line.away < 2 * self.job.rules.per_host:
            line.in_turn = True
            self.turn.append(name)

    def feed(self) -> None:
        """Send errands, host by host in turn, as many as the worker may hold."""
        trips = []
        while self.turn and len(self.away) < self.window:
            name = self.turn.popleft()
            line = self.lines[name]
            line.in_turn = False
            trip = line.returned.pop(0) if line.returned else self._next(name, line)
            line.away += 1
            self.away[trip.errand.key] = trip
            trips.append(trip)
            self._give_turn(name, line)
        if trips and self.inbox:
            with suppress(OSError):  # it is dead; whoever listens to it will find out
                self.inbox.send(trips)

    def _next(self, name: str, line: _Line) -> Trip:
        line.last, errand = self._queue.after(name, line.last)
        line.unread -= 1
        return Trip(errand)

    def back(self, key: str) -> Trip | None:
        """Take an errand off the worker's hands."""
        trip = self.away.pop(key, None)
        if trip is not None:
            name = line_of(trip.errand, trip.at)
            line = self.lines[name]
            line.away -= 1
            if line.unread or line.returned:
                self._give_turn(name, line)
            elif not line.away:
                del self.lines[name]
        return trip
