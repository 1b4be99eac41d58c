"""Several cells at a time, each in a process that runs one after another.

A cell whose process dies, or that finds no memory, is tried once more by itself when the others are
done: most often it died of its neighbors.
"""

import json
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from adc_core.components import raise_if_interrupted
from adc_plugins_compare.comparison.cells import Cell
from adc_plugins_compare.execution.progress import Progress
from adc_plugins_compare.results.figures import Figure
from adc_plugins_compare.results.outcome import Outcome

_JOBS = "jobs"
"""Folder of the cells that the processes are given."""

_TICK = 0.2
"""Seconds after which the loop looks whether it shall stop."""

_NO_MEMORY = ("OutOfMemoryError", "MemoryError", "out of memory", "without memory")


def run_in_processes(
    cells: Sequence[Cell], folder: Path, parallel: int, block: Sequence[str], progress: Progress
) -> Iterator[Outcome]:
    """Run cells, some at a time.

    Args:
        cells: in this order.
        folder: the comparison's.
        parallel: how many at a time; fewer while a further one would not fit into memory.
        block: listeners to leave out.
        progress: hears of each.

    Yields:
        How each ended, as they end.
    """
    again: list[Cell] = []
    for outcome in _run(cells, folder, parallel, block, progress):
        if outcome.error is not None and parallel > 1 and _lacked_memory(outcome.error):
            again += [cell for cell in cells if cell.name == outcome.cell]
        else:
            yield outcome
    yield from _run(again, folder, 1, block, progress)


def _lacked_memory(error: str) -> bool:
    return any(word in error for word in _NO_MEMORY) or error.startswith(_Worker.DIED)


def _run(
    cells: Sequence[Cell], folder: Path, parallel: int, block: Sequence[str], progress: Progress
) -> Iterator[Outcome]:
    messages: queue.Queue[tuple[_Worker, dict[str, Any] | None]] = queue.Queue()
    waiting, workers = list(cells), list[_Worker]()
    warned: set[str] = set()
    try:
        while waiting or any(worker.cell for worker in workers):
            idle = [worker for worker in workers if worker.cell is None]
            busy = [worker for worker in workers if worker.cell is not None]
            if waiting and (idle or len(workers) < parallel) and _fits_beside(busy):
                if not idle:
                    workers += (idle := [_Worker(folder, parallel, block, messages)])
                progress.started(waiting[0].name)
                idle[0].give(waiting.pop(0))
                continue
            raise_if_interrupted()
            try:
                worker, message = messages.get(timeout=_TICK)
            except queue.Empty:
                continue
            cell = worker.cell
            if message is None:
                workers.remove(worker)
                worker.stop()
                if cell is not None:
                    message = {"outcome": [cell.name, worker.seconds(), [], worker.last_words()]}
            if message is None or cell is None:
                continue
            if (text := message.get("warning")) is not None and text not in warned:
                warned.add(text)
                warnings.warn(f"cell {cell.name}: {text}", stacklevel=2)
            elif "stage" in message:
                progress.at(cell.name, message["stage"])
            elif "outcome" in message:
                worker.cell = None
                name, seconds, figures, error = message["outcome"]
                yield Outcome(name, seconds, tuple(Figure(*one) for one in figures), error)
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """A process; threads read what it says."""

    DIED = "its process died"

    def __init__(
        self,
        folder: Path,
        parallel: int,
        block: Sequence[str],
        messages: "queue.Queue[tuple[_Worker, dict[str, Any] | None]]",
    ) -> None:
        self.cell: Cell | None = None
        self._given = 0.0
        self._messages = messages
        self._jobs = folder / _JOBS
        threads = str(max(1, (os.cpu_count() or 1) // parallel))
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", str(folder), *block],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"OMP_NUM_THREADS": threads} | os.environ,
        )
        self._stderr: list[str] = []
        self._readers = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read_messages, self._read_errors)
        ]
        for reader in self._readers:
            reader.start()

    def give(self, cell: Cell) -> None:
        """Give it a cell to run."""
        self._jobs.mkdir(exist_ok=True)
        file = self._jobs / f"{self._process.pid}.pickle"
        file.write_bytes(pickle.dumps(cell))
        self.cell, self._given = cell, time.perf_counter()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has died; the reader says so
            print(file, file=self._process.stdin, flush=True)

    def seconds(self) -> float:
        """Return how long it has had its cell."""
        return time.perf_counter() - self._given

    def peak_memory(self) -> int:
        """Return the most kilobytes that it has held; 0 where the system does not tell."""
        return _kilobytes(Path(f"/proc/{self._process.pid}/status"), "VmHWM")

    def last_words(self) -> str:
        """Say how it ended."""
        code = self._process.returncode
        words = self._stderr[-1] if self._stderr else ""
        killed = f" of signal {-code}" if code is not None and code < 0 else ""
        return f"{self.DIED}{killed}{f': {words}' if words else ''}"

    def stop(self) -> None:
        """End the process: it is asked to, and killed if it does not listen."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
        (self._jobs / f"{self._process.pid}.pickle").unlink(missing_ok=True)

    def _read_messages(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self._messages.put((self, json.loads(line)))
            except ValueError:  # a library's own print from C
                continue
        self._messages.put((self, None))

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.strip():
                self._stderr[:] = [line.strip()]


def _fits_beside(busy: Sequence[_Worker]) -> bool:
    """Tell whether there is room for one more process like the largest so far."""
    if not busy:
        return True
    free = _kilobytes(Path("/proc/meminfo"), "MemAvailable")
    return not free or free > max(worker.peak_memory() for worker in busy)


def _kilobytes(file: Path, name: str) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
