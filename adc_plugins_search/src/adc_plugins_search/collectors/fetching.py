"""Fetching many images at once, politely: bounded in all and per host, with retries and deadlines.

The event loop runs in a thread of its own, so that it works inside notebooks and Ctrl-C reaches
the caller at once. Redirects are followed by hand: each hop queues at its own host.
"""

import asyncio
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import aiohttp
from yarl import URL

from adc_plugins_search.collectors.address_guard import Endpoint
from adc_plugins_search.collectors.errands import Errand
from adc_plugins_search.collectors.http_client import get, open_session
from adc_plugins_search.collectors.local_files import read_local
from adc_plugins_search.collectors.outcomes import (
    Outcome,
    PassingError,
    Reason,
    RefusedError,
    Stored,
)
from adc_plugins_search.collectors.verifying import PictureRules, store_picture

REDIRECTS = 5
LOCAL = ""
"""The "host" of local files."""


@dataclass(frozen=True)
class FetchRules:
    """How to fetch.

    Attributes:
        workers: requests at the same time.
        per_host: requests at the same time to one host.
        timeout: for one request, in seconds.
        retries: further attempts after an error that may pass.
        backoff: seconds before the first of them; doubled each time.
        max_wait: longest pause, in seconds, that a server may ask for.
        max_bytes: larger files are refused.
        user_agent: how the client names itself.
        allowed: private addresses that may be asked.
    """

    workers: int
    per_host: int
    timeout: aiohttp.ClientTimeout
    retries: int
    backoff: float
    max_wait: float
    max_bytes: int
    user_agent: str
    allowed: frozenset[Endpoint]


_Result = tuple[Errand, Outcome] | BaseException


def fetch_all(
    errands: Sequence[Errand], folder: Path, pictures: PictureRules, rules: FetchRules
) -> Generator[tuple[Errand, Outcome]]:
    """Fetch, verify and store; outcomes come in the order in which they are ready.

    Closing the iterator stops all work.

    Args:
        errands: what to fetch; distinct files.
        folder: where the errands' files go.
        pictures: what a picture must be, and how it is stored.
        rules: how to fetch.

    Raises:
        WorkError: a file cannot be written.
    """
    results: SimpleQueue[_Result] = SimpleQueue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(_Fetching(folder, pictures, rules, results).run(errands))

    def work() -> None:
        try:
            loop.run_until_complete(task)
        except BaseException as error:  # raised again by the thread that waits for results
            results.put(error)
        finally:
            loop.close()

    thread = Thread(target=work, name="fetching", daemon=True)
    thread.start()
    left = len(errands)
    try:
        while left:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            left -= 1
            yield result
    finally:
        if left:
            with suppress(RuntimeError):  # the loop has ended already
                loop.call_soon_threadsafe(task.cancel)
        thread.join(timeout=1)


@dataclass
class _Trip:
    """An errand under way; `at` is where a redirect has led, None for a local file."""

    errand: Errand
    at: URL | None
    hops: int = 0
    attempts: int = 0


@dataclass
class _Host:
    """One host's queue, how many lanes work on it, and until when it wants to be left alone."""

    waiting: deque[_Trip] = field(default_factory=deque)
    lanes: int = 0
    resume_at: float = 0.0


class _Fetching:
    """The hosts and lanes of one collection; lives in the event loop's thread."""

    _session: aiohttp.ClientSession
    _lanes: asyncio.TaskGroup

    def __init__(
        self, folder: Path, pictures: PictureRules, rules: FetchRules, results: SimpleQueue[_Result]
    ) -> None:
        self._folder = folder
        self._pictures = pictures
        self._rules = rules
        self._results = results
        self._hosts: dict[str, _Host] = {}

    async def run(self, errands: Sequence[Errand]) -> None:
        rules = self._rules
        self._slots = asyncio.Semaphore(rules.workers)
        # Decoding releases the GIL; more threads than one cost more CPU than they gain.
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="decoding")
        try:
            async with (
                open_session(rules.timeout, rules.user_agent, rules.allowed) as self._session,
                asyncio.TaskGroup() as self._lanes,
            ):
                for errand in errands:
                    self._send(_Trip(errand, None if errand.root else URL(errand.url)))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            self._decoder.shutdown(wait=False, cancel_futures=True)

    def _send(self, trip: _Trip) -> None:
        """Queue a trip at its host, and open a lane where the host may have one more."""
        name = f"{trip.at.host}:{trip.at.port}" if trip.at else LOCAL
        host = self._hosts.setdefault(name, _Host())
        host.waiting.append(trip)
        if host.lanes < self._rules.per_host:
            host.lanes += 1
            self._lanes.create_task(self._lane(host))

    async def _lane(self, host: _Host) -> None:
        while host.waiting:
            trip = host.waiting.popleft()
            while (pause := host.resume_at - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(pause)
            try:
                async with self._slots:
                    outcome = await self._attempt(trip)
            except RefusedError as error:
                self._results.put((trip.errand, error.refused))
            except PassingError as error:
                await self._put_off(trip, host, error)
            else:
                if outcome:
                    self._results.put((trip.errand, outcome))
        host.lanes -= 1

    async def _put_off(self, trip: _Trip, host: _Host, error: PassingError) -> None:
        """Wait, then queue a trip again; or give it up."""
        rules = self._rules
        trip.attempts += 1
        if trip.attempts > rules.retries or (error.pause or 0) > rules.max_wait:
            self._results.put((trip.errand, error.refused))
            return
        if error.pause:
            until = asyncio.get_running_loop().time() + error.pause
            host.resume_at = max(host.resume_at, until)
        else:
            await asyncio.sleep(rules.backoff * 2 ** (trip.attempts - 1))
        host.waiting.appendleft(trip)

    async def _attempt(self, trip: _Trip) -> Stored | None:
        """What was stored, or None where a redirect leads on."""
        errand, limit = trip.errand, self._rules.max_bytes
        path = self._folder / errand.file
        in_thread = partial(asyncio.get_running_loop().run_in_executor, self._decoder)
        if errand.root:
            data = await in_thread(read_local, errand.url, errand.root, limit)
            return await in_thread(store_picture, data, self._pictures, path)
        assert trip.at is not None
        answer = await get(self._session, trip.at, limit)
        if isinstance(answer, bytes):
            return await in_thread(store_picture, answer, self._pictures, path)
        trip.at, trip.hops = answer, trip.hops + 1
        if trip.hops > REDIRECTS:
            raise RefusedError(Reason.REDIRECTS, f"more than {REDIRECTS}")
        self._send(trip)
        return None
