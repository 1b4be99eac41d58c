"""The coordinator: deals errands to workers, hears what became of them, and replaces the dead.

However a collection ends, every shard that can be finished gets its name and is noted.
"""

import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from threading import Thread

from adc_core.errors import WorkError
from adc_plugins_search.download.images.shards import give_name, next_number
from adc_plugins_search.download.outcomes import Outcome, Reason, Refused
from adc_plugins_search.download.workers.outage import Outage, takes_connections
from adc_plugins_search.download.workers.protocol import (
    Ended,
    Event,
    Gained,
    Job,
    Lost,
    Moved,
    Sealed,
    Trip,
    line_of,
    slot_of,
)
from adc_plugins_search.download.workers.task_queue import ErrandQueue
from adc_plugins_search.download.workers.worker_handle import Member

DEADLY = 2
"""Deaths of a worker over one picture after which the picture is refused."""
MOST_DEATHS = 8
"""Deaths of workers in a row, without a shard between them, after which the work fails."""
_GRACE = 60.0
"""Seconds that a worker has to seal its shard."""

_FRUGAL = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
"""Bodies come and go in few threads of a worker, and nothing there multiplies matrices."""

Keep = Callable[[Sequence[tuple[str, Outcome]]], None]


def fetch_all(
    queue: ErrandQueue, job: Job, *, apart: bool, keep: Keep, tell: Callable[[int], None]
) -> None:
    """Fetch, verify and store; however it ends, what was stored by then is kept.

    Args:
        queue: what to fetch.
        job: what the workers shall know; `slots` says how many there are.
        apart: in processes of their own; else in one thread of this process.
        keep: takes outcomes for good, a whole shard at a time; called from this thread.
        tell: hears how many errands have ended so far.

    Raises:
        WorkError: a shard cannot be written, workers die again and again, or nobody answers.
    """
    _Crew(queue, job, apart, keep, tell).run()


class _Crew:
    """The workers of one collection."""

    def __init__(
        self,
        queue: ErrandQueue,
        job: Job,
        apart: bool,
        keep: Keep,
        tell: Callable[[int], None],
    ) -> None:
        self._folder = job.folder
        self._apart = apart
        self._keep = keep
        self._tell = tell
        self._members = [Member(replace(job, slot=slot), queue) for slot in range(job.slots)]
        self._heard: SimpleQueue[tuple[Member, list[Event] | None]] = SimpleQueue()
        self._left = 0
        self._ended = 0
        self._number = next_number(job.folder)
        self._crashes: Counter[str] = Counter()
        self._deaths = 0
        self._stopping = False
        connects = partial(takes_connections, rules=job.rules)
        self._outage = Outage(job.rules.silence, connects, queue.answered)
        for line, count in queue.lines():
            self._left += count
            self._member(line).expect(line, count)

    def _member(self, line: str) -> Member:
        return self._members[slot_of(line, len(self._members))]

    def _route(self, trip: Trip) -> None:
        self._member(line_of(trip.errand, trip.at)).take_back(trip)

    def run(self) -> None:
        """Work until every errand has ended and every shard has its name."""
        while self._left:  # again where a worker has died while it sealed its last shard
            try:
                self._serve()
            except BaseException:
                with suppress(Exception):  # the first failure is the one to tell
                    self._stop()
                raise
            self._stop()
        self._keep(self._outage.rest())

    def _serve(self) -> None:
        self._stopping = False
        while self._left:
            for member in self._members:
                if member.ended and member.turn:
                    self._start(member)
                member.feed()
            self._hear(*self._heard.get())

    def _start(self, member: Member) -> None:
        for_it, to_it = os.pipe()
        from_it, by_it = os.pipe()
        if self._apart:
            member.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "adc_plugins_search.download.workers.worker_process"],
                stdin=for_it,
                stdout=by_it,
                process_group=0,  # a Ctrl-C at the terminal is for the coordinator
                env=_FRUGAL | os.environ,
            )
            os.close(for_it)
            os.close(by_it)
        else:
            ends = Connection(for_it, writable=False), Connection(by_it, readable=False)
            Thread(target=_work_here, args=ends, name="fetching", daemon=True).start()
        member.ended = False
        member.inbox = Connection(to_it, readable=False)
        outbox = Connection(from_it, writable=False)
        Thread(target=self._listen, args=(member, outbox), daemon=True).start()
        with suppress(OSError):
            member.inbox.send(member.job)

    def _listen(self, member: Member, outbox: Connection) -> None:
        # A thread of its own, so that no Ctrl-C can cut a message in two.
        with outbox, suppress(EOFError, OSError):
            while True:
                self._heard.put((member, outbox.recv()))
        self._heard.put((member, None))

    def _hear(self, member: Member, events: list[Event] | None) -> None:
        if events is None:
            self._mourn(member)
            return
        self._keep_lost(member, events)
        for event in events:
            match event:
                case Gained(key):
                    if trip := member.back(key):
                        member.unsealed[key] = trip
                        self._count()
                case Lost(key, refused):
                    if trip := member.back(key):
                        _warn_of_error(trip, refused)
                        self._count()
                case Moved(trip):
                    if member.back(trip.errand.key):
                        self._route(trip)
                case Sealed():
                    self._name(member, event)
                case Ended(error):
                    member.ended = True
                    if error is not None:
                        raise error

    def _keep_lost(self, member: Member, events: list[Event]) -> None:
        """Write down refusals at once, but for those that a network which is down may explain."""
        lost: list[tuple[str, Outcome]] = []
        for event in events:
            if not isinstance(event, Gained | Lost) or event.key not in member.away:
                continue
            trip = member.away[event.key]
            host = line_of(trip.errand, trip.at)
            if trip.errand.root is not None:  # no network was asked
                lost += [(event.key, event.refused)] if isinstance(event, Lost) else []
            elif isinstance(event, Lost):
                lost += self._outage.lost(host, event.key, event.refused)
            else:
                lost += self._outage.answer(host)
        if lost:
            self._keep(lost)

    def _count(self) -> None:
        self._left -= 1
        self._ended += 1
        if not self._stopping:  # whoever hears of progress may raise
            self._tell(self._ended)

    def _name(self, member: Member, sealed: Sealed) -> None:
        shard = give_name(sealed.part, self._number)
        self._number += 1
        self._deaths = 0
        self._keep([(key, replace(each, shard=shard)) for key, each in sealed.stored.items()])
        for key in sealed.stored:
            # A picture may be stored whose worker was stopped before it could say so.
            if member.back(key):
                self._left -= 1
            member.unsealed.pop(key, None)

    def _mourn(self, member: Member) -> None:
        """Give what a worker took with it to its successor."""
        said_so, member.ended = member.ended, True
        if member.inbox:
            member.inbox.close()
            member.inbox = None
        code = None
        if member.process:
            code = member.process.wait()
            member.process = None
        if not said_so:
            self._deaths += 1
            if self._deaths > MOST_DEATHS:
                raise WorkError(
                    f"workers die again and again (exit code {code}): is there enough memory? "
                    "use fewer `processes`, or fewer `workers`"
                )
            self._accuse(member)
        with suppress(OSError):
            member.job.marker.unlink()  # the next one may die before it writes its own
        self._left += len(member.unsealed)
        self._ended -= len(member.unsealed)
        trips = [*member.unsealed.values(), *member.away.values()]
        for key in list(member.away):
            member.back(key)
        member.unsealed.clear()
        for trip in trips:
            self._route(trip)

    def _accuse(self, member: Member) -> None:
        """Refuse the picture that a worker died over, if it is not the first time."""
        with suppress(OSError):
            key = member.job.marker.read_text().strip()
            self._crashes[key] += key in member.away
            if self._crashes[key] >= DEADLY and member.back(key):
                refused = Refused(Reason.CRASHED, f"the worker died over it {DEADLY} times")
                self._keep([(key, refused)])
                self._count()

    def _stop(self) -> None:
        """End every worker and name its last shard."""
        self._stopping = True
        left = {member.job.slot: member for member in self._members if member.inbox}
        for member in left.values():
            assert member.inbox
            member.inbox.close()
            member.inbox = None
        error: Exception | None = None
        deadline = time.monotonic() + _GRACE
        try:
            while left:
                member, events = self._heard.get(timeout=max(0.0, deadline - time.monotonic()))
                if events is None:
                    del left[member.job.slot]
                try:
                    self._hear(member, events)
                except Exception as raised:  # the others shall end all the same
                    error = error or raised
        except Empty:
            error = WorkError("a worker does not end: look for a disk that does not answer")
        finally:
            for member in left.values():
                if member.process:
                    member.process.kill()
                    member.process.wait()
                    member.process = None
        if error:
            raise error


def _warn_of_error(trip: Trip, refused: Refused) -> None:
    if refused.reason is Reason.ERROR:
        warnings.warn(
            f"{trip.at or trip.errand.url} is left out ({refused.detail}): please report this "
            "address as a fault of ADC's",
            stacklevel=2,
        )


def _work_here(inbox: Connection, outbox: Connection) -> None:
    # A coordinator whose workers are processes needs no HTTP client.
    from adc_plugins_search.download.workers.worker_process import work

    with outbox:
        work(inbox, outbox)
