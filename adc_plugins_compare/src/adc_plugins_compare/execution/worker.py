"""A process that runs cells, started by `processes` alone.

It reads the files of cells from its standard input, one a line, and writes what happens to its
standard output: one line of JSON each. Without its parent it stops as if it had been interrupted.
"""

import json
import os
import pickle
import queue
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from adc_core import Dataset, hookimpl, read_dataset
from adc_core.components import signal_handlers
from adc_core.runs import installed_listeners
from adc_plugins_compare.comparison.cells import Cell
from adc_plugins_compare.execution.run_cell import failed, run_cell
from adc_plugins_compare.results.outcome import Outcome

_OFTEN = 0.2
"""Seconds between two lines of progress."""


class _Teller:
    """Tells the parent how far a cell is."""

    def __init__(self, say: Callable[..., None]) -> None:
        self._say = say
        self._last = 0.0

    @hookimpl
    def adc_stage_started(self, stage: str) -> None:
        """Tell its name."""
        self._say(stage=stage)

    @hookimpl
    def adc_stage_progressed(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """Tell how far it is, now and then."""
        if time.monotonic() - self._last > _OFTEN:
            self._last = time.monotonic()
            of = f"/{total}" if total else ""
            self._say(stage=f"{stage} {done}{of} {unit}s")


def main(folder: str, *block: str) -> int:
    """Run cells until there are no more.

    Args:
        folder: the comparison's.
        block: listeners to leave out.
    """
    out = sys.stdout
    sys.stdout = sys.stderr  # what a component prints is no message to the parent

    def say(**message: Any) -> None:
        print(json.dumps(message), file=out, flush=True)

    waiting: queue.Queue[str | None] = queue.Queue()
    busy = threading.Event()
    threading.Thread(target=_listen, args=(waiting, busy), daemon=True).start()
    read = cache(read_dataset)
    with signal_handlers(), warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: say(warning=str(message))
        try:
            while (file := waiting.get()) is not None:
                busy.set()
                say(outcome=_run(pickle.loads(Path(file).read_bytes()), folder, block, say, read))
                busy.clear()
        except KeyboardInterrupt:
            return 130
    return 0


def _run(
    cell: Cell,
    folder: str,
    block: Sequence[str],
    say: Callable[..., None],
    read: Callable[[Path], Dataset],
) -> Outcome:
    listeners = installed_listeners(block)
    listeners.register(_Teller(say))
    started = time.perf_counter()
    try:
        return run_cell(cell, Path(folder), listeners, read)
    except Exception as error:
        return failed(cell, time.perf_counter() - started, error)


def _listen(waiting: "queue.Queue[str | None]", busy: threading.Event) -> None:
    """Hear of cells; interrupt the work when there is nobody left who could say more."""
    for line in sys.stdin:
        waiting.put(line.rstrip("\n"))
    waiting.put(None)
    if busy.is_set():
        os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
