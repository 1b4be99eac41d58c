"""One worker's fetching: bounded in total and per host, with retries and deadlines.

One event loop sends requests, one thread decodes and writes the worker's own shard. Redirects are
followed here: each is queued at its own host, which another worker may serve.
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

from adc_core import WorkError
from adc_plugins_search.download.http.client import Body, get, get_robots, open_session
from adc_plugins_search.download.http.fetch_rules import FetchRules
from adc_plugins_search.download.http.host_budget import HostBudget
from adc_plugins_search.download.http.rate_limit import KNOWN_HOSTS, RateLimiter
from adc_plugins_search.download.http.robots import RobotsCache, check_allowed
from adc_plugins_search.download.http.ssrf_guard import names_private
from adc_plugins_search.download.outcomes import Reason, Refused, RefusedError, TransientError
from adc_plugins_search.download.workers.protocol import (
    Event,
    FetchAttempt,
    Job,
    TaskFailed,
    TaskRedirected,
    TaskStored,
    host_queue_of,
    worker_index_of,
)
from adc_plugins_search.download.workers.shard_sink import ShardSink

MAX_REDIRECTS = 5
_LOOKUPS = 64
"""Names that are looked up at the same time, in threads."""

MAX_HOSTS = 5_000
"""Hosts that are remembered; beyond that the least recently used is dropped, unless paused."""


@dataclass
class _Host:
    """One host's queue, its connections and their maximum, and its rate limit."""

    max_connections: int
    rate_limiter: RateLimiter
    budget: HostBudget
    waiting: deque[FetchAttempt] = field(default_factory=deque)
    connections: int = 0
    given_up: asyncio.Event = field(default_factory=asyncio.Event)


class FetchLoop:
    """The hosts and connections of one worker; runs in its event loop's thread.

    Args:
        job: the worker's settings.
        emit: called with every event, in the event loop's thread.

    Attributes:
        error: what made a connection fail, which ends the worker.
    """

    _session: aiohttp.ClientSession

    def __init__(self, job: Job, emit: Callable[[Event], None]) -> None:
        self.error: BaseException | None = None
        self._job = job
        self._emit = emit
        self._hosts: dict[str, _Host] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._request_slots = asyncio.Semaphore(job.max_requests)
        self._sink = ShardSink(job)

    async def run(self) -> None:
        """Work until `stop` is called, then close the open shard.

        Raises:
            WorkError: a shard cannot be written.
        """
        # Decoding releases the GIL; more threads than one cost more CPU than they gain.
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="decoding")
        # Names are looked up there: a few that do not answer must not hold up all others.
        asyncio.get_running_loop().set_default_executor(
            ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="resolving")
        )
        try:
            async with open_session(self._job.rules) as self._session:
                self._robots = RobotsCache(partial(get_robots, self._session))
                try:
                    await self._stopped.wait()
                finally:
                    for connection in self._connections:
                        connection.cancel()
                    await asyncio.gather(*self._connections, return_exceptions=True)
        finally:
            self._decoder.shutdown(cancel_futures=True)
            if closed_shard := self._sink.close():
                self._emit(closed_shard)

    def stop(self) -> None:
        """Abandon what is under way."""
        self._stopped.set()

    def add(self, attempts: Iterable[FetchAttempt]) -> None:
        """Queue attempts at their hosts, and open a connection where a host may have one more."""
        for attempt in attempts:
            host = self._host(attempt)
            host.waiting.append(attempt)
            if host.connections < host.max_connections and not self._stopped.is_set():
                host.connections += 1
                connection = asyncio.get_running_loop().create_task(self._serve_host(host))
                self._connections.add(connection)
                connection.add_done_callback(self._on_connection_done)

    def _host(self, attempt: FetchAttempt) -> _Host:
        name = host_queue_of(attempt.task, attempt.redirected_to)
        host = self._hosts.pop(name, None) or self._new_host(attempt)
        self._hosts[name] = host  # at the end: the first one is the least recently used
        if len(self._hosts) > MAX_HOSTS:
            self._evict_host()
        return host

    def _new_host(self, attempt: FetchAttempt) -> _Host:
        rules = self._job.rules
        address = _address_of(attempt)
        known = KNOWN_HOSTS.get(address.host or "")
        own = attempt.task.root is not None or _is_own(address, rules)
        own = own or names_private(address.host or "")  # no server is asked there, so nothing waits
        name = host_queue_of(attempt.task, attempt.redirected_to)
        return _Host(
            budget=HostBudget(name, rules.max_wait, rules.retries + 1),
            max_connections=min(rules.max_connections_per_host, known.connections)
            if known
            else rules.max_connections_per_host,
            rate_limiter=RateLimiter(
                0.0 if own else rules.interval, known.megabits if known else None
            ),
        )

    def _evict_host(self) -> None:
        name = next(iter(self._hosts))
        host = self._hosts.pop(name)
        if (
            host.connections
            or host.waiting
            or host.budget.refused
            or not host.rate_limiter.is_idle(asyncio.get_running_loop().time())
        ):
            self._hosts[name] = host

    def _on_connection_done(self, connection: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        if not connection.cancelled() and (error := connection.exception()):
            self.error = error
            self.stop()

    async def _serve_host(self, host: _Host) -> None:
        now = asyncio.get_running_loop().time
        while host.waiting:
            attempt = host.waiting.popleft()
            await self._wait_until_allowed(host)
            if host.budget.refused:
                self._emit(TaskFailed(attempt.task.key, host.budget.refused))
                continue
            try:
                async with self._request_slots:
                    began = now()
                    await self._fetch(attempt, host)
            except RefusedError as error:
                self._emit(TaskFailed(attempt.task.key, error.refused))
            except TransientError as error:
                host.budget.add_time(began, now())
                await self._retry_later(attempt, host, error)
            except (WorkError, OSError, MemoryError):  # this machine's fault, not an image's
                raise
            except Exception as error:  # one image must not cost a million others
                said = f"{type(error).__name__}: {error}"
                self._emit(TaskFailed(attempt.task.key, Refused(Reason.ERROR, said, lasting=False)))
        host.connections -= 1

    async def _wait_until_allowed(self, host: _Host) -> None:
        """Wait until the host may be asked, or is given up."""
        now = asyncio.get_running_loop().time
        began, throttled = now(), host.rate_limiter.is_throttled
        wait = host.rate_limiter.reserve(began)
        while (
            wait := max(wait, host.rate_limiter.pause_left(now()))
        ) > 0 and not host.budget.refused:
            await _sleep_unless_given_up(host, wait)
            wait = 0.0
        if throttled:
            host.budget.add_time(began, now())

    async def _retry_later(self, attempt: FetchAttempt, host: _Host, error: TransientError) -> None:
        """Wait, then queue an attempt again; or give it up, and perhaps its host."""
        rules, now = self._job.rules, asyncio.get_running_loop().time()
        attempt.failures += 1
        pause = error.retry_after or rules.backoff * 2 ** (attempt.failures - 1)
        too_long = (error.retry_after or 0) > rules.max_wait
        for_good = too_long or attempt.failures > rules.retries
        if error.throttled:
            host.rate_limiter.on_throttled()
        if too_long or not for_good:
            host.budget.add_time(now, now + pause)
        host.budget.on_failure(error.refused, for_good=for_good)
        if host.budget.refused:
            host.given_up.set()
        if for_good:
            self._emit(TaskFailed(attempt.task.key, error.refused))
            return
        if error.retry_after:
            host.rate_limiter.pause_until(now + pause)
        else:
            await _sleep_unless_given_up(host, pause)
        host.waiting.appendleft(attempt)

    async def _fetch(self, attempt: FetchAttempt, host: _Host) -> None:
        """Store the image, or queue the attempt where a redirect leads."""
        body: Body | None = None
        address = _address_of(attempt)
        if attempt.task.root is None:
            answer = await self._request(address, host)
            if isinstance(answer, URL):
                self._redirect(attempt, answer)
                return
            body = answer
        in_thread = asyncio.get_running_loop().run_in_executor
        closed_shard = await in_thread(self._decoder, self._sink.store, attempt, str(address), body)
        self._emit(TaskStored(attempt.task.key))
        if closed_shard:
            self._emit(closed_shard)

    async def _request(self, address: URL, host: _Host) -> Body | URL:
        rules = self._job.rules
        if not (rules.named or _is_own(address, rules)):
            detail = "another machine, which needs to know your `contact`"
            raise RefusedError(Reason.FORBIDDEN, detail)
        if "robots" not in rules.ignore:
            robots = await self._robots.of(address)
            check_allowed(robots, address)
            host.rate_limiter.set_min_interval(robots.delay)
        try:
            answer = await get(self._session, address, rules)
        except RefusedError:  # 404 is an answer too
            host.budget.on_answer()
            raise
        host.budget.on_answer()
        if isinstance(answer, Body):
            host.rate_limiter.record_response(len(answer.data), asyncio.get_running_loop().time())
        return answer

    def _redirect(self, attempt: FetchAttempt, target: URL) -> None:
        attempt.redirected_to, attempt.redirects = target, attempt.redirects + 1
        if attempt.redirects > MAX_REDIRECTS:
            raise RefusedError(Reason.REDIRECTS, f"more than {MAX_REDIRECTS}")
        if (
            worker_index_of(host_queue_of(attempt.task, target), self._job.n_workers)
            == self._job.index
        ):
            self.add([attempt])
        else:
            self._emit(TaskRedirected(attempt))


async def _sleep_unless_given_up(host: _Host, seconds: float) -> None:
    """Sleep, but no longer than until the host is given up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await host.given_up.wait()


def _address_of(attempt: FetchAttempt) -> URL:
    return attempt.redirected_to or URL(attempt.task.url)


def _is_own(address: URL, rules: FetchRules) -> bool:
    return (address.host or "", address.port or 0) in rules.own
