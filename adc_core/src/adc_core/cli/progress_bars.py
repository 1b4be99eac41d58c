"""Progress on the terminal, as an ordinary listener."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from adc_core.components.context import work_context
from adc_core.runs.listeners import hookimpl

_UNCOUNTED = "{desc}: {elapsed}"
"""How a stage is shown before it has reported progress."""


def seen_by_somebody(stream: TextIO) -> bool:
    """Return whether a stream goes to a terminal, or to the cell of a notebook."""
    return stream.isatty() or type(stream).__module__.startswith("ipykernel.")


class ProgressBars:
    """Shows one bar per stage on standard error; silent where nobody looks at it.

    Args:
        delay: seconds before a bar appears.
    """

    def __init__(self, delay: float = 0) -> None:
        self._delay = delay
        self._bar: tqdm[Any] | None = None

    @hookimpl
    def adc_stage_started(self, stage: str) -> None:
        """Open the stage's bar."""
        self._bar = tqdm(
            desc=stage,
            disable=not seen_by_somebody(sys.stderr),
            file=sys.stderr,
            bar_format=_UNCOUNTED,
            delay=self._delay,
        )

    @hookimpl
    def adc_stage_progressed(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """Move the bar."""
        if self._bar is not None and not self._bar.disable:
            self._bar.bar_format = None
            self._bar.total = total
            self._bar.unit = f" {unit}"
            self._bar.update(done - self._bar.n)

    @hookimpl
    def adc_stage_status(self, stage: str, text: str) -> None:
        """Show the remark after the bar."""
        if self._bar is not None and not self._bar.disable:
            self._bar.set_postfix_str(text, refresh=False)

    @hookimpl
    def adc_stage_finished(self, stage: str, seconds: float, reused: bool) -> None:
        """Close the bar."""
        self._close()

    @hookimpl
    def adc_stage_failed(self, stage: str, error: BaseException) -> None:
        """Close the bar."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def shown_work(name: str, folder: Path, *, delay: float = 0) -> Iterator[None]:
    """Do the work of the block in a folder, as `work_context`, and show a bar of its progress.

    Args:
        name: what to print before the bar.
        folder: where the work is kept.
        delay: seconds before the bar appears.
    """
    bars = ProgressBars(delay)
    bars.adc_stage_started(name)
    try:
        with work_context(folder, partial(bars.adc_stage_progressed, name)):
            yield
    finally:
        bars.adc_stage_finished(name, 0, reused=False)
