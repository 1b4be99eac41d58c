"""One worker's fetching: bounded in all and per host, with retries and deadlines.

One event loop asks, one thread decodes and writes the worker's own shard. Redirects are followed by
hand: each hop queues at its own host, which may be another worker's.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import aiohttp
from yarl import URL

from adc_core.errors import WorkError
from adc_plugins_search.download.http.client import Body, get, get_robots, open_session
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.http.host_budget import HostBudget
from adc_plugins_search.download.http.rate_limit import KNOWN_HOSTS, Pace
from adc_plugins_search.download.http.robots import RobotsOfHosts, check
from adc_plugins_search.download.http.ssrf_guard import names_private
from adc_plugins_search.download.outcomes import PassingError, Reason, Refused, RefusedError
from adc_plugins_search.download.workers.protocol import (
    Event,
    Gained,
    Job,
    Lost,
    Moved,
    Trip,
    line_of,
    slot_of,
)
from adc_plugins_search.download.workers.shard_sink import ShardSink

REDIRECTS = 5
MOST_HOSTS = 5_000
"""Hosts that are remembered; after that the longest unasked is forgotten, unless it is paused."""


@dataclass
class _Host:
    """One host's queue, how many lanes may work on it and do, and how fast it may be asked."""

    most_lanes: int
    pace: Pace
    budget: HostBudget
    waiting: deque[Trip] = field(default_factory=deque)
    lanes: int = 0
    given_up: asyncio.Event = field(default_factory=asyncio.Event)


class Fetching:
    """The hosts and lanes of one worker; lives in its event loop's thread.

    Args:
        job: what to fetch by.
        tell: hears of every event, in the event loop's thread.

    Attributes:
        error: what a lane has died of, which ends the work.
    """

    _session: aiohttp.ClientSession

    def __init__(self, job: Job, tell: Callable[[Event], None]) -> None:
        self.error: BaseException | None = None
        self._job = job
        self._tell = tell
        self._hosts: dict[str, _Host] = {}
        self._lanes: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._slots = asyncio.Semaphore(job.share)
        self._sink = ShardSink(job)

    async def run(self) -> None:
        """Work until `stop` is called, then seal the open shard.

        Raises:
            WorkError: a shard cannot be written.
        """
        # Decoding releases the GIL; more threads than one cost more CPU than they gain.
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="decoding")
        try:
            async with open_session(self._job.rules) as self._session:
                self._robots = RobotsOfHosts(partial(get_robots, self._session))
                try:
                    await self._stopped.wait()
                finally:
                    for lane in self._lanes:
                        lane.cancel()
                    await asyncio.gather(*self._lanes, return_exceptions=True)
        finally:
            self._decoder.shutdown(cancel_futures=True)
            if sealed := self._sink.close():
                self._tell(sealed)

    def stop(self) -> None:
        """Drop what is under way."""
        self._stopped.set()

    def take(self, trips: Iterable[Trip]) -> None:
        """Queue trips at their hosts, and open a lane where a host may have one more."""
        for trip in trips:
            host = self._host(trip)
            host.waiting.append(trip)
            if host.lanes < host.most_lanes and not self._stopped.is_set():
                host.lanes += 1
                lane = asyncio.get_running_loop().create_task(self._lane(host))
                self._lanes.add(lane)
                lane.add_done_callback(self._lane_ended)

    def _host(self, trip: Trip) -> _Host:
        name = line_of(trip.errand, trip.at)
        host = self._hosts.pop(name, None) or self._unknown(trip)
        self._hosts[name] = host  # at the end: the first one is the longest unasked
        if len(self._hosts) > MOST_HOSTS:
            self._forget()
        return host

    def _unknown(self, trip: Trip) -> _Host:
        rules = self._job.rules
        address = _address_of(trip)
        known = KNOWN_HOSTS.get(address.host or "")
        own = trip.errand.root is not None or _is_own(address, rules)
        own = own or names_private(address.host or "")  # nobody is asked there, so none waits
        name = line_of(trip.errand, trip.at)
        return _Host(
            budget=HostBudget(name, rules.max_wait, rules.retries + 1),
            most_lanes=min(rules.per_host, known.connections) if known else rules.per_host,
            pace=Pace(0.0 if own else rules.interval, known.megabits if known else None),
        )

    def _forget(self) -> None:
        name = next(iter(self._hosts))
        host = self._hosts.pop(name)
        if (
            host.lanes
            or host.waiting
            or host.budget.refused
            or not host.pace.at_rest(asyncio.get_running_loop().time())
        ):
            self._hosts[name] = host

    def _lane_ended(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        if not lane.cancelled() and (error := lane.exception()):
            self.error = error
            self.stop()

    async def _lane(self, host: _Host) -> None:
        now = asyncio.get_running_loop().time
        while host.waiting:
            trip = host.waiting.popleft()
            await self._turn(host)
            if host.budget.refused:
                self._tell(Lost(trip.errand.key, host.budget.refused))
                continue
            try:
                async with self._slots:
                    began = now()
                    await self._attempt(trip, host)
            except RefusedError as error:
                self._tell(Lost(trip.errand.key, error.refused))
            except PassingError as error:
                host.budget.spend(began, now())
                await self._put_off(trip, host, error)
            except (WorkError, OSError, MemoryError):  # this machine's fault, not an image's
                raise
            except Exception as error:  # one image must not cost a million others
                said = f"{type(error).__name__}: {error}"
                self._tell(Lost(trip.errand.key, Refused(Reason.ERROR, said, lasting=False)))
        host.lanes -= 1

    async def _turn(self, host: _Host) -> None:
        """Wait until the host may be asked, or is given up."""
        now = asyncio.get_running_loop().time
        began, slowed = now(), host.pace.slowed
        wait = host.pace.start(began)
        while (wait := max(wait, host.pace.paused(now()))) > 0 and not host.budget.refused:
            await _rest(host, wait)
            wait = 0.0
        if slowed:
            host.budget.spend(began, now())

    async def _put_off(self, trip: Trip, host: _Host, error: PassingError) -> None:
        """Wait, then queue a trip again; or give it up, and perhaps its host."""
        rules, now = self._job.rules, asyncio.get_running_loop().time()
        trip.attempts += 1
        pause = error.pause or rules.backoff * 2 ** (trip.attempts - 1)
        too_long = (error.pause or 0) > rules.max_wait
        lost = too_long or trip.attempts > rules.retries
        if error.complaint:
            host.pace.complained()
        if too_long or not lost:
            host.budget.spend(now, now + pause)
        host.budget.failed(error.refused, for_good=lost)
        if host.budget.refused:
            host.given_up.set()
        if lost:
            self._tell(Lost(trip.errand.key, error.refused))
            return
        if error.pause:
            host.pace.pause_until(now + pause)
        else:
            await _rest(host, pause)
        host.waiting.appendleft(trip)

    async def _attempt(self, trip: Trip, host: _Host) -> None:
        """Store the picture, or send the trip where a redirect leads."""
        body: Body | None = None
        address = _address_of(trip)
        if trip.errand.root is None:
            answer = await self._ask(address, host)
            if isinstance(answer, URL):
                self._follow(trip, answer)
                return
            body = answer
        in_thread = asyncio.get_running_loop().run_in_executor
        sealed = await in_thread(self._decoder, self._sink.store, trip, str(address), body)
        self._tell(Gained(trip.errand.key))
        if sealed:
            self._tell(sealed)

    async def _ask(self, address: URL, host: _Host) -> Body | URL:
        rules = self._job.rules
        if not (rules.named or _is_own(address, rules)):
            detail = "another machine, which needs to know your `contact`"
            raise RefusedError(Reason.FORBIDDEN, detail)
        if "robots" not in rules.ignore:
            robots = await self._robots.of(address)
            check(robots, address)
            host.pace.keep_apart(robots.delay)
        try:
            answer = await get(self._session, address, rules)
        except RefusedError:  # 404 is an answer too
            host.budget.answered()
            raise
        host.budget.answered()
        if isinstance(answer, Body):
            host.pace.took(len(answer.data), asyncio.get_running_loop().time())
        return answer

    def _follow(self, trip: Trip, target: URL) -> None:
        trip.at, trip.hops = target, trip.hops + 1
        if trip.hops > REDIRECTS:
            raise RefusedError(Reason.REDIRECTS, f"more than {REDIRECTS}")
        if slot_of(line_of(trip.errand, target), self._job.slots) == self._job.slot:
            self.take([trip])
        else:
            self._tell(Moved(trip))


async def _rest(host: _Host, seconds: float) -> None:
    """Sleep, but no longer than until the host is given up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await host.given_up.wait()


def _address_of(trip: Trip) -> URL:
    return trip.at or URL(trip.errand.url)


def _is_own(address: URL, rules: FetchRules) -> bool:
    return (address.host or "", address.port or 0) in rules.own
