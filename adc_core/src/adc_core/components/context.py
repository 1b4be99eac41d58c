"""Where a component keeps what must survive an interruption, and how it tells of progress.

A pipeline gives each stage a folder that is still there when a killed run is started again.
Outside a pipeline, `with working_in(folder):` does the same; without it a temporary folder serves.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adc_core.components.signals import heed

Progressed = Callable[[int, int | None, str], None]
Remarked = Callable[[str], None]


def _unheard(*_: object) -> None:
    """Nobody asked to hear of it."""


@dataclass(frozen=True)
class _Work:
    folder: Path
    progressed: Progressed
    remarked: Remarked


_current: ContextVar[_Work | None] = ContextVar("adc_work", default=None)


@cache
def _temporary() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="adc-", ignore_cleanup_errors=True)


def work_folder() -> Path:
    """The folder in which the present piece of work may keep partial results.

    A component that finds files of its own there goes on from them.
    """
    work = _current.get()
    if work is None:
        return Path(tempfile.mkdtemp(dir=_temporary().name))
    work.folder.mkdir(parents=True, exist_ok=True)
    return work.folder


def is_heard() -> bool:
    """Whether the work is done for a pipeline or in `working_in`, where somebody may listen."""
    return _current.get() is not None


def progress(done: int, total: int | None, unit: str) -> None:
    """Tell whoever listens how far the work is.

    Args:
        done: pieces finished so far.
        total: pieces in all, or None where nobody knows.
        unit: what a piece is: `image`, `epoch`.
    """
    heed()
    if (work := _current.get()) is not None:
        work.progressed(done, total, unit)


def remark(text: str) -> None:
    """Tell whoever listens, in a few words, what the work has met so far: `812 kept, 31 gone`."""
    if (work := _current.get()) is not None:
        work.remarked(text)


@contextmanager
def working_in(
    folder: Path | str, progressed: Progressed | None = None, remarked: Remarked | None = None
) -> Iterator[Path]:
    """Do the work of the `with` block in a folder of one's own, so that it can be resumed there.

    Args:
        folder: what `work_folder()` gives.
        progressed: hears of `progress`.
        remarked: hears of `remark`.
    """
    token = _current.set(_Work(Path(folder), progressed or _unheard, remarked or _unheard))
    try:
        yield Path(folder)
    finally:
        _current.reset(token)
