"""Asking every searcher every query, page by page, and writing each page down at once.

Threads only ask; the calling thread decides what comes next and keeps the journal, so there is
nothing to lock.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread

from adc_core import Design, Hit, Page, Query, Searcher, WorkError, progress, status
from adc_core.components import raise_if_interrupted
from adc_plugins_search.download.journal import Journal
from adc_plugins_search.download.searches.relax_queries import relax_queries
from adc_plugins_search.without_secrets import without_secrets


@dataclass(frozen=True)
class SearchHit:
    """A hit and the searcher that offered it."""

    hit: Hit
    searcher: Searcher


@dataclass
class _Search:
    """One query put to one searcher, and how far it is."""

    query: Query
    engine_index: int
    wanted: int
    found: int = 0
    cursors: list[str | None] = field(default_factory=list)

    @property
    def cursor(self) -> str | None:
        return self.cursors[-1] if self.cursors else None

    @property
    def finished(self) -> bool:
        """Enough hits, no further page, or a searcher that sends round in circles."""
        if not self.cursors:
            return False
        return self.found == self.wanted or self.cursor in [None, *self.cursors[:-1]]

    def take(self, page: Page) -> None:
        """Count a page's hits, as far as they are wanted."""
        self.found = min(self.wanted, self.found + len(page.hits))
        self.cursors.append(page.cursor)


@dataclass
class _Engine:
    """One searcher, the searches that wait for it, and the pauses that it asks for."""

    searcher: Searcher
    key: str
    waiting: deque[_Search] = field(default_factory=deque)
    found: int = 0
    resume_at: float = 0.0
    waited: float = 0.0
    gave_up: float | None = None


_Answer = tuple[_Search, Page | BaseException]


class SearchResults:
    """Every hit of a finished search, as often as it is asked for.

    The hits stay in the journal and are read page by page, so that memory does not grow with them.

    Args:
        searches: in the order in which their hits should come.
        engines: who was asked.
        journal: holds the pages; must stay open.
    """

    def __init__(
        self, searches: Sequence[_Search], engines: Sequence[_Engine], journal: Journal
    ) -> None:
        self._searches = searches
        self._engines = engines
        self._journal = journal

    def __len__(self) -> int:
        return _found(self._searches)

    def __iter__(self) -> Iterator[SearchHit]:
        for search in self._searches:
            engine, left = self._engines[search.engine_index], search.found
            for number in range(len(search.cursors)):
                raise_if_interrupted()
                page = self._journal.page(engine.key, search.query, number)
                assert page is not None
                for hit in page.hits[:left]:
                    yield SearchHit(hit, engine.searcher)
                left -= min(left, len(page.hits))


def run_queries(
    design: Design,
    searchers: Sequence[Searcher],
    journal: Journal,
    *,
    threads: int,
    max_wait: float,
    relax: Sequence[str] = (),
) -> SearchResults:
    """Return hits in the order of the design's queries, then of the searchers, then of rank.

    Hits of relaxed queries follow, attribute by attribute.

    Args:
        design: the queries, and how many hits to ask of each searcher for each.
        searchers: who is asked.
        relax: attributes to leave open, one after the other, in queries that find less than half
            of what is asked for.
        journal: holds the pages of an earlier attempt, and gets the new ones.
        threads: searches at the same time.
        max_wait: longest pause, in seconds, that a service may ask for in a row.

    Raises:
        InputError: a searcher cannot be used as it is configured.
        WorkError: a service fails, or asks for too long a pause. What was found is kept.
    """
    engines = [_Engine(searcher, searcher.fingerprint) for searcher in searchers]
    wanted = design.samples_per_query

    def ask(queries: Sequence[Query]) -> dict[Query, list[_Search]]:
        searches: dict[Query, list[_Search]] = {query: [] for query in queries}
        for query, of_query in searches.items():
            for engine_index, engine in enumerate(engines):
                search = _Search(query, engine_index, wanted)
                while page := journal.page(engine.key, query, len(search.cursors)):
                    search.take(page)
                engine.found += search.found
                of_query.append(search)
                if not search.finished:
                    engine.waiting.append(search)
        _QueryRunner(engines, journal, threads, max_wait, total=len(queries) * len(engines)).run()
        return searches

    searches = ask(design.queries)
    for attribute in relax:
        underfilled = [query for query, each in searches.items() if 2 * _found(each) < wanted]
        searches |= ask(relax_queries(underfilled, attribute, (query.text for query in searches)))
    return SearchResults(
        [search for each in searches.values() for search in each], engines, journal
    )


def _found(searches: Sequence[_Search]) -> int:
    return sum(search.found for search in searches)


class _QueryRunner:
    """Hands searches to threads and takes their pages."""

    def __init__(
        self,
        engines: list[_Engine],
        journal: Journal,
        threads: int,
        max_wait: float,
        total: int,
    ) -> None:
        self._engines = engines
        self._journal = journal
        self._max_wait = max_wait
        self._total = total
        self._left = sum(len(engine.waiting) for engine in engines)
        self._threads = min(threads, self._left)
        self._requests: SimpleQueue[_Search | None] = SimpleQueue()
        self._answers: SimpleQueue[_Answer] = SimpleQueue()

    def run(self) -> None:
        for _ in range(self._threads):
            # Daemons, so that Ctrl-C need not wait for a slow service.
            Thread(target=copy_context().run, args=(self._ask,), daemon=True).start()
        try:
            self._work_through()
        finally:
            for _ in range(self._threads):
                self._requests.put(None)

    def _ask(self) -> None:
        while (search := self._requests.get()) is not None:
            try:
                searcher = self._engines[search.engine_index].searcher
                page: Page | BaseException = without_secrets(
                    searcher.page(search.query, search.cursor)
                )
            except BaseException as error:  # raised again by the calling thread
                page = error
            self._answers.put((search, page))

    def _work_through(self) -> None:
        in_flight = 0
        failure: BaseException | None = None
        while True:
            for search in () if failure else self._due(self._threads - in_flight):
                self._requests.put(search)
                in_flight += 1
            idle = self._threads > in_flight and not failure
            pause = self._next_pause() if idle else None
            if not in_flight and pause is None:
                break
            try:
                search, page = self._answers.get(timeout=pause)
            except Empty:
                continue
            in_flight -= 1
            if isinstance(page, BaseException):
                failure = failure or page
            else:
                self._take(search, page)
        if failure:
            raise failure
        self._report_unfinished()

    def _due(self, room: int) -> Iterator[_Search]:
        now = time.monotonic()
        for engine in self._engines:
            while room and engine.waiting and engine.gave_up is None and engine.resume_at <= now:
                room -= 1
                yield engine.waiting.popleft()

    def _next_pause(self) -> float | None:
        """Return seconds until the next engine with waiting searches goes on; None without such."""
        resume_at = min(
            (e.resume_at for e in self._engines if e.waiting and e.gave_up is None), default=None
        )
        return None if resume_at is None else max(0.0, resume_at - time.monotonic())

    def _take(self, search: _Search, page: Page) -> None:
        engine = self._engines[search.engine_index]
        if page.retry_after is not None:
            self._park(engine, page.retry_after)
            engine.waiting.appendleft(search)
            return
        engine.waited = 0.0
        self._journal.add_page(engine.key, search.query, len(search.cursors), page)
        before = search.found
        search.take(page)
        engine.found += search.found - before
        self._report_counts()
        if search.finished:
            self._left -= 1
            progress(self._total - self._left, self._total, "query")
        else:
            engine.waiting.appendleft(search)

    def _park(self, engine: _Engine, seconds: float) -> None:
        resume_at = time.monotonic() + seconds
        # Searches that were under way together report the same pause; it counts once.
        if resume_at > engine.resume_at:
            engine.waited += resume_at - max(engine.resume_at, time.monotonic())
            engine.resume_at = resume_at
            self._report_counts()
        if engine.waited > self._max_wait:
            engine.gave_up = engine.waited

    def _report_counts(self) -> None:
        """Say how many hits each searcher has found, and which one asks to be left alone."""
        said = []
        for engine in self._engines:
            pause = engine.resume_at - time.monotonic()
            waits = f" (asks to wait {_duration(pause)})" if pause > 1 else ""
            said.append(f"{engine.searcher.name} {engine.found:,}{waits}")
        status(", ".join(said))

    def _report_unfinished(self) -> None:
        for engine in self._engines:
            if engine.gave_up is not None:
                raise WorkError(
                    f"{engine.searcher.name} asks to wait {_duration(engine.gave_up)}, longer than "
                    f"max_wait: {self._total - self._left} of {self._total} searches are done and "
                    "kept; run the same again after that time to go on"
                )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"
