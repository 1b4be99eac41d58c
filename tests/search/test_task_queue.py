"""The queue on disk: distinct errands, line by line, in the order in which they came."""

from contextlib import closing
from pathlib import Path

import pytest

from adc_core.errors import WorkError
from adc_plugins_search.download.fetch_task import Errand
from adc_plugins_search.download.outcomes import Reason, Refused, Stored
from adc_plugins_search.download.workers.task_queue import ErrandQueue

MISSING = Refused(Reason.NOT_FOUND, "HTTP 404")
STORED = Stored("u", 9, 8, "PNG", "P", 7, "raw", 6, "out", 0)


def errand(url: str, root: Path | None = None) -> Errand:
    return Errand(url, f"key of {url}", root)


def test_each_line_is_served_in_order(tmp_path: Path) -> None:
    urls = [f"https://{host}.example/{n}" for n in range(3) for host in "ba"]
    with closing(ErrandQueue(tmp_path / "errands.part")) as queue:
        assert [queue.add(errand(url), None) for url in [*urls, urls[2]]] == [
            *([True] * 6),
            False,
        ]
        assert queue.add(errand("https://b.example/known"), MISSING)
        assert not queue.add(errand("https://b.example/known"), None)
        assert queue.add(errand("https://c.example/known"), STORED)
        assert queue.answered == {"c.example:443"}
        assert queue.lines() == [("b.example:443", 3), ("a.example:443", 3)] == queue.lines()
        number, found = 0, []
        for _ in range(3):
            number, each = queue.after("a.example:443", number)
            found.append(each)
        assert found == [errand(url) for url in urls[1::2]]
    assert not list(tmp_path.iterdir())


def test_a_local_file_keeps_its_root(tmp_path: Path) -> None:
    with closing(ErrandQueue(tmp_path / "errands.part")) as queue:
        queue.add(errand("file:///x/1.jpg", Path("/x")), None)
        queue.add(errand("file:///x/2.jpg", Path("/x")), STORED)
        ((line, count),) = queue.lines()
        assert count == 1
        assert queue.after(line, 0) == (1, errand("file:///x/1.jpg", Path("/x")))
        assert not queue.answered  # it is no host


def test_what_a_killed_attempt_has_left_is_of_no_use(tmp_path: Path) -> None:
    (tmp_path / "errands.part").write_text("no database")
    with closing(ErrandQueue(tmp_path / "errands.part")) as queue:
        assert queue.lines() == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkError) as raised:
        ErrandQueue(tmp_path / "gone/errands.part")
    assert str(raised.value) == (
        f"{tmp_path / 'gone/errands.part'} cannot be used (unable to open database file): make room"
    )
