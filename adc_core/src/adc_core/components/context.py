"""Where a component keeps what must survive an interruption, and how it reports progress.

A pipeline gives each stage a folder that is still there when a killed run is started again.
Outside a pipeline, `with work_context(folder):` does the same; without it, a temporary folder
serves.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adc_core.components.signals import raise_if_interrupted

OnProgress = Callable[[int, int | None, str], None]
OnStatus = Callable[[str], None]


def _unheard(*_: object) -> None:
    """Ignore what nobody asked to hear."""


@dataclass(frozen=True)
class _Work:
    folder: Path
    on_progress: OnProgress
    on_status: OnStatus


_current: ContextVar[_Work | None] = ContextVar("adc_work", default=None)


@cache
def _temporary() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="adc-", ignore_cleanup_errors=True)


def work_folder() -> Path:
    """Return the folder in which the present piece of work may keep partial results.

    A component that finds files of its own there goes on from them.
    """
    work = _current.get()
    if work is None:
        return Path(tempfile.mkdtemp(dir=_temporary().name))
    work.folder.mkdir(parents=True, exist_ok=True)
    return work.folder


def has_listener() -> bool:
    """Tell whether somebody may listen: in a pipeline, or in `work_context`."""
    return _current.get() is not None


def progress(done: int, total: int | None, unit: str) -> None:
    """Report to a listener how far the work is.

    Args:
        done: pieces finished so far.
        total: pieces in all, or None where nobody knows.
        unit: what a piece is: `image`, `epoch`.
    """
    raise_if_interrupted()
    if (work := _current.get()) is not None:
        work.on_progress(done, total, unit)


def status(text: str) -> None:
    """Report to a listener, in a few words, what the work has met so far: `812 kept, 31 gone`."""
    if (work := _current.get()) is not None:
        work.on_status(text)


@contextmanager
def work_context(
    folder: Path | str, on_progress: OnProgress | None = None, on_status: OnStatus | None = None
) -> Iterator[Path]:
    """Do the work of the `with` block in a folder of one's own, so that it can be resumed there.

    Args:
        folder: what `work_folder()` gives.
        on_progress: hears of `progress`.
        on_status: hears of `status`.
    """
    token = _current.set(_Work(Path(folder), on_progress or _unheard, on_status or _unheard))
    try:
        yield Path(folder)
    finally:
        _current.reset(token)
