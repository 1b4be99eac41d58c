"""Running a comparison in a folder: all cells, and their tables."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from adc_core import Dataset, InputError, WorkError, read_dataset
from adc_core.components import raise_if_interrupted
from adc_core.runs import installed_listeners
from adc_core.storage import atomic_file, translate_os_errors
from adc_plugins_compare.comparison.cells import CELLS, Cell
from adc_plugins_compare.comparison.comparison import Comparison
from adc_plugins_compare.execution.processes import run_in_processes
from adc_plugins_compare.execution.progress import Progress
from adc_plugins_compare.execution.run_cell import failed, run_cell
from adc_plugins_compare.page.page import render
from adc_plugins_compare.results.formats import as_csv, as_latex, as_markdown, as_text
from adc_plugins_compare.results.layout import tables_of
from adc_plugins_compare.results.outcome import Outcome
from adc_plugins_compare.results.table import Table, caption

PAGE, FIGURES = "comparison.html", "measurements.csv"

_TABLE, _LOCK = "table", ".lock"


class Compared(NamedTuple):
    """What a comparison found.

    Attributes:
        tables: mean, spread and marks.
        caption: what the figures are and how far they can be trusted.
        outcomes: how each cell ended, in the order of the cells.
    """

    tables: list[Table]
    caption: str
    outcomes: list[Outcome]

    def __str__(self) -> str:
        return f"{as_text(self.tables)}\n\n{self.caption}" if self.tables else "nothing measured"


def compare(
    comparison: Comparison,
    folder: Path | str,
    *,
    parallel: int = 1,
    block: Sequence[str] = (),
) -> Compared:
    """Run every cell of a comparison and make its tables; what is finished already is reused.

    Each cell is a run in `cells/NAME` of the folder; stages that several need are made once. A cell
    that fails is named, and the others go on.

    Args:
        comparison: what to compare.
        folder: made if absent; the same comparison goes on there, a changed one too.
        parallel: cells at a time, each in a process of its own; 1 for all in this one.
        block: listeners to leave out, such as `adc-core/progress`.

    Raises:
        InputError: the comparison or the folder is wrong; nothing has run.
        WorkError: the folder is in use, or the disk refuses.
    """
    folder = Path(folder)
    cells = comparison.check()
    with _held(folder):
        progress = Progress(len(cells), bars=parallel > 1)
        progress.begins(folder)
        outcomes: dict[str, Outcome] = {}
        try:
            for outcome in _run(cells, folder, parallel, block, progress):
                outcomes[outcome.cell] = outcome
                progress.ended(outcome)
        finally:
            progress.close()
        ordered = [outcomes[cell.name] for cell in cells]
        tables = tables_of(comparison, cells, ordered)
        compared = Compared(tables, caption(len(comparison.seeds), tables), ordered)
        _write(comparison, cells, compared, folder)
    return compared


def _run(
    cells: Sequence[Cell], folder: Path, parallel: int, block: Sequence[str], progress: Progress
) -> Iterator[Outcome]:
    if parallel > 1:
        block = [*block, "adc-core/progress"]  # each cell has one line of its own
        yield from run_in_processes(cells, folder, parallel, block, progress)
        return
    read = cache(read_dataset)
    for cell in cells:
        raise_if_interrupted()
        yield _in_this_process(cell, folder, block, read)


def _in_this_process(
    cell: Cell, folder: Path, block: Sequence[str], read: Callable[[Path], Dataset]
) -> Outcome:
    started = time.perf_counter()
    try:
        return run_cell(cell, folder, installed_listeners(block), read)
    except Exception as error:
        return failed(cell, time.perf_counter() - started, error)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the folder of a comparison for this process alone.

    Raises:
        InputError: it holds something else.
        WorkError: another process holds it.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CELLS).is_dir():
        raise InputError(f"{folder} is not empty and no comparison: choose another --out")
    with translate_os_errors(folder):
        (folder / CELLS).mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise WorkError(
                f"{folder} is in use by another process: wait for it or choose another --out"
            ) from None
    try:
        yield
    finally:
        lock.release()


def _write(comparison: Comparison, cells: Sequence[Cell], compared: Compared, folder: Path) -> None:
    """Write the tables in every form, each file whole or not at all."""
    texts = {
        f"{_TABLE}.txt": f"{compared}\n",
        f"{_TABLE}.md": f"{as_markdown(compared.tables)}\n{compared.caption}\n",
        f"{_TABLE}.tex": f"% {compared.caption}\n{as_latex(compared.tables)}",
        f"{_TABLE}.csv": as_csv(compared.tables),
        FIGURES: _figures(cells, compared.outcomes),
        PAGE: render(folder.resolve().name, comparison, cells, *compared),
    }
    for name, text in texts.items():
        with atomic_file(folder / name) as part:
            part.write_text(text, encoding="utf-8")


def _figures(cells: Sequence[Cell], outcomes: Sequence[Outcome]) -> str:
    """Write one line per figure of each cell, details included."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    axes = list(cells[0].levels)
    writer.writerow([*axes, "seed", "metric", "subject", "value", "better"])
    for cell, outcome in zip(cells, outcomes, strict=True):
        seed = "" if cell.seed is None else cell.seed
        for one in outcome.figures:
            value = "" if one.value is None else repr(one.value)
            writer.writerow(
                [*cell.levels.values(), seed, one.metric, one.subject, value, one.better]
            )
    return file.getvalue()
