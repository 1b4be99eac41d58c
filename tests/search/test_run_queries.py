"""Searching through the journal: order, resuming, pauses and failures of real searchers."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest

from adc_core.components.context import work_context
from adc_core.components.interfaces import Searcher
from adc_core.errors import InputError, WorkError
from adc_core.records.design import Design, Hit, Page, Query
from adc_endpoint import secret
from adc_plugins_search.download.journal import Journal
from adc_plugins_search.download.searches.run_queries import run_queries


class Scripted(Searcher):
    """Offers ten hits per page and notes each call; `parked` says which calls shall wait."""

    engine: str = "scripted"
    pages: int = 3
    parked: frozenset[int] = frozenset()
    pause: float = 0.01
    circle: bool = False

    calls: ClassVar[list[tuple[str, str, str | None]]]
    failures: ClassVar[dict[tuple[str, str | None], Exception]]
    lock: ClassVar[threading.Lock] = threading.Lock()

    def page(self, query: Query, cursor: str | None = None) -> Page:
        with self.lock:
            self.calls.append((self.engine, query.text, cursor))
            count = sum(engine == self.engine for engine, _, _ in self.calls)
        if failure := self.failures.get((query.text, cursor)):
            raise failure
        if count in self.parked:
            return Page(cursor=cursor, retry_after=self.pause)
        number = int(cursor or 0)
        hits = tuple(
            Hit(
                url=f"https://{self.engine}.example/{query.class_name}/{rank}",
                query=query,
                engine=self.engine,
                rank=rank,
            )
            for rank in range(10 * number + 1, 10 * number + 11)
        )
        last = number + 1 == self.pages
        following = ("0" if self.circle else None) if last else str(number + 1)
        return Page(hits=hits, cursor=following)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    Scripted.calls = []
    Scripted.failures = {}
    return


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., list[str]]:
    def run(
        design: Design, *searchers: Searcher, threads: int = 4, max_wait: float = 5
    ) -> list[str]:
        with closing(Journal(tmp_path / "journal.sqlite", "")) as journal:
            found = run_queries(design, searchers, journal, threads=threads, max_wait=max_wait)
            urls = [each.hit.url for each in found]
            assert len(found) == len(urls)
            assert [each.hit.url for each in found] == urls
        return urls

    return run


def urls(engine: str, name: str, count: int) -> list[str]:
    return [f"https://{engine}.example/{name}/{rank}" for rank in range(1, count + 1)]


def test_hits_come_by_query_then_searcher_then_rank(search, design_of) -> None:
    searchers = Scripted(engine="b"), Scripted(engine="a", pages=1)
    assert search(design_of("x", "y", samples=25), *searchers) == [
        *urls("b", "x", 25),
        *urls("a", "x", 10),
        *urls("b", "y", 25),
        *urls("a", "y", 10),
    ]


def test_no_more_pages_than_needed(search, design_of) -> None:
    search(design_of("x", samples=20), Scripted())
    assert Scripted.calls == [("scripted", "x", None), ("scripted", "x", "1")]


def test_a_searcher_that_goes_in_circles_is_stopped(search, design_of) -> None:
    found = search(design_of("x"), Scripted(circle=True))
    assert [cursor for _, _, cursor in Scripted.calls] == [None, "1", "2", "0"]
    assert len(found) == 40


def test_what_is_in_the_journal_is_not_asked_again(search, design_of) -> None:
    design = design_of("x", "y", samples=30)
    first = search(design, Scripted())
    asked = len(Scripted.calls)
    assert search(design, Scripted()) == first
    assert len(Scripted.calls) == asked


def test_asking_for_more_goes_on_from_the_last_cursor(search, design_of) -> None:
    search(design_of("x", samples=10), Scripted())
    assert search(design_of("x", samples=30), Scripted()) == urls("scripted", "x", 30)
    assert [cursor for _, _, cursor in Scripted.calls] == [None, "1", "2"]


def test_another_searcher_or_query_has_pages_of_its_own(search, design_of) -> None:
    search(design_of("x", samples=10), Scripted())
    search(design_of("x", samples=10), Scripted(pages=4))
    search(design_of("y", samples=10), Scripted())
    assert len(Scripted.calls) == 3


def test_a_failure_keeps_what_was_found(search, design_of) -> None:
    Scripted.failures = {("y", "1"): WorkError("the service is down")}
    design = design_of("x", "y", samples=30)
    with pytest.raises(WorkError, match=r"^the service is down$"):
        search(design, Scripted(), threads=1)
    assert Scripted.calls[-1] == ("scripted", "y", "1")
    Scripted.failures = {}
    Scripted.calls.clear()
    assert search(design, Scripted()) == urls("scripted", "x", 30) + urls("scripted", "y", 30)
    assert [cursor for _, _, cursor in Scripted.calls] == ["1", "2"]


def test_the_first_failure_is_told(search, design_of) -> None:
    Scripted.failures = {("x", None): InputError("no key"), ("y", None): InputError("no key")}
    with pytest.raises(InputError, match=r"^no key$"):
        search(design_of("x", "y"), Scripted())


def test_parked_pages_are_asked_again_after_the_pause(search, design_of) -> None:
    searcher = Scripted(parked={1, 2, 3}, pages=1)
    assert search(design_of("x", "y"), searcher) == [
        *urls("scripted", "x", 10),
        *urls("scripted", "y", 10),
    ]
    assert len(Scripted.calls) == 5


def test_a_pause_holds_up_only_its_own_engine(search, design_of) -> None:
    stuck = Scripted(engine="stuck", parked={1}, pause=3600)
    with pytest.raises(WorkError) as raised:
        search(design_of("x", "y", "z"), stuck, Scripted(), threads=1)
    assert str(raised.value) == (
        "Scripted asks to wait 60 min, longer than max_wait: 3 of 6 searches are done and kept; "
        "run the same again after that time to go on"
    )
    assert sum(engine == "stuck" for engine, _, _ in Scripted.calls) == 1


def test_short_pauses_without_end_are_not_waited_for_for_ever(search, design_of) -> None:
    with pytest.raises(WorkError, match="asks to wait 1 s, longer than max_wait: 0 of 1"):
        search(design_of("x"), Scripted(parked=range(1, 100), pause=0.2), max_wait=0.5)
    assert len(Scripted.calls) == 3


def test_a_page_between_pauses_starts_the_count_again(search, design_of) -> None:
    searcher = Scripted(parked={1, 3, 5}, pause=0.3)
    assert len(search(design_of("x", samples=30), searcher, max_wait=0.5)) == 30


def test_searches_run_at_the_same_time_but_not_more_than_allowed(tmp_path: Path, design_of) -> None:
    class Crowd(Searcher):
        """Answers when three searches are there at once."""

        barrier: ClassVar[threading.Barrier] = threading.Barrier(3)
        now: ClassVar[set[int]] = set()
        most: ClassVar[list[int]] = []

        def page(self, query: Query, cursor: str | None = None) -> Page:
            self.now.add(threading.get_ident())
            self.barrier.wait(timeout=30)
            self.most.append(len(self.now))
            return Page()

    with closing(Journal(tmp_path / "journal.sqlite", "")) as journal:
        design = design_of(*"abcdef")
        assert not run_queries(design, [Crowd()], journal, threads=3, max_wait=0)
    assert max(Crowd.most) == 3


def test_progress_is_told_per_query(tmp_path: Path, search, design_of) -> None:
    heard: list[tuple[int, int | None, str]] = []
    with work_context(tmp_path, lambda *told: heard.append(told)):
        search(design_of("x", "y", samples=20), Scripted())
    assert heard == [(1, 2, "query"), (2, 2, "query")]


def test_what_each_searcher_found_is_remarked(tmp_path: Path, search, design_of) -> None:
    heard: list[str] = []
    searchers = Scripted(), Scripted(engine="stuck", parked={2}, pause=120)
    with work_context(tmp_path, on_status=heard.append), pytest.raises(WorkError):
        search(design_of("x", "y", samples=20), *searchers, threads=1)
    assert heard[0] == "Scripted 10, Scripted 0"
    assert heard[-1] == "Scripted 40, Scripted 10 (asks to wait 2 min)"
    with work_context(tmp_path, on_status=heard.append):
        search(design_of("x", "y", samples=20), *searchers, threads=1)
    assert heard[-1] == "Scripted 40, Scripted 40"


def test_searchers_may_use_the_work_folder(tmp_path: Path, design_of) -> None:
    seen: list[Path] = []

    class Curious(Searcher):
        """Looks where it works."""

        def page(self, query: Query, cursor: str | None = None) -> Page:
            from adc_core.components.context import work_folder

            seen.append(work_folder())
            return Page()

    def run(searchers: Sequence[Searcher]) -> None:
        with closing(Journal(tmp_path / "journal.sqlite", "")) as journal:
            run_queries(design_of("x"), searchers, journal, threads=1, max_wait=0)

    with work_context(tmp_path / "work"):
        run([Curious()])
    assert seen == [tmp_path / "work"]


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(WorkError) as raised:
        Journal(path, "")
    assert str(raised.value) == (
        f"{path} cannot be used (file is not a database): make room, or delete it to start over"
    )


def test_a_key_that_a_service_repeats_is_not_kept(
    design_of, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Echo(Searcher):
        def page(self, query: Query, cursor: str | None = None) -> Page:
            key = secret("ECHO_KEY", "echo")
            said = {"page": f"http://a/?k={key}", "title": f"for {key}", "license": None}
            hit = Hit(url=f"http://a/1?key={key}", query=query, engine="echo", rank=1, **said)
            return Page(hits=(hit, hit.replace(url="http://a/2", page=None, title="plain")))

    monkeypatch.setenv("ECHO_KEY", "hunter2-hunter2")
    with closing(Journal(tmp_path / "journal.sqlite", "")) as journal:
        first, second = run_queries(design_of("x"), [Echo()], journal, threads=1, max_wait=0)
    assert (first.hit.url, first.hit.page, first.hit.title) == (
        "http://a/1?key=…",
        "http://a/?k=…",
        "for …",
    )
    assert (second.hit.url, second.hit.title) == ("http://a/2", "plain")
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes()
