"""The queue on disk: distinct errands, line by line, in the order in which they came."""

from contextlib import closing
from pathlib import Path

import pytest

from adc_core.errors import WorkError
from adc_plugins_search.download.fetch_task import FetchTask
from adc_plugins_search.download.outcomes import Reason, Refused, Stored
from adc_plugins_search.download.workers.task_queue import TaskQueue

MISSING = Refused(Reason.NOT_FOUND, "HTTP 404")
STORED = Stored("u", 9, 8, "PNG", "P", 7, "raw", 6, "out", 0)


def task(url: str, root: Path | None = None) -> FetchTask:
    return FetchTask(url, f"key of {url}", root)


def test_each_line_is_served_in_order(tmp_path: Path) -> None:
    urls = [f"https://{host}.example/{n}" for n in range(3) for host in "ba"]
    with closing(TaskQueue(tmp_path / "tasks.part")) as queue:
        assert [queue.add(task(url), None) for url in [*urls, urls[2]]] == [
            *([True] * 6),
            False,
        ]
        assert queue.add(task("https://b.example/known"), MISSING)
        assert not queue.add(task("https://b.example/known"), None)
        assert queue.add(task("https://c.example/known"), STORED)
        assert queue.answered_hosts == {"c.example:443"}
        assert queue.hosts() == [("b.example:443", 3), ("a.example:443", 3)] == queue.hosts()
        number, found = 0, []
        for _ in range(3):
            number, each = queue.next_task("a.example:443", number)
            found.append(each)
        assert found == [task(url) for url in urls[1::2]]
    assert not list(tmp_path.iterdir())


def test_a_local_file_keeps_its_root(tmp_path: Path) -> None:
    with closing(TaskQueue(tmp_path / "tasks.part")) as queue:
        queue.add(task("file:///x/1.jpg", Path("/x")), None)
        queue.add(task("file:///x/2.jpg", Path("/x")), STORED)
        ((host, count),) = queue.hosts()
        assert count == 1
        assert queue.next_task(host, 0) == (1, task("file:///x/1.jpg", Path("/x")))
        assert not queue.answered_hosts  # it is no host


def test_what_a_killed_attempt_has_left_is_of_no_use(tmp_path: Path) -> None:
    (tmp_path / "tasks.part").write_text("no database")
    with closing(TaskQueue(tmp_path / "tasks.part")) as queue:
        assert queue.hosts() == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkError) as raised:
        TaskQueue(tmp_path / "gone/tasks.part")
    assert str(raised.value) == (
        f"{tmp_path / 'gone/tasks.part'} cannot be used (unable to open database file): make room"
    )
