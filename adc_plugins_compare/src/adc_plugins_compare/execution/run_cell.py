"""The run of one cell, and what is noted where it fails."""

import time
from collections.abc import Callable
from pathlib import Path

from adc_core import Dataset, run_pipeline
from adc_core.runs import Listeners
from adc_plugins_compare.comparison.cells import CELLS, Cell
from adc_plugins_compare.results.figures import figures_of
from adc_plugins_compare.results.outcome import Outcome

_STAGES = "stages"
"""The folder of a comparison with the finished stages that its cells share."""


def run_cell(
    cell: Cell, folder: Path, listeners: Listeners, read: Callable[[Path], Dataset]
) -> Outcome:
    """Run a cell in its directory, with the stages that the others have finished.

    Args:
        cell: what runs.
        folder: the comparison's.
        listeners: who hears of the run's progress.
        read: reads a dataset; whoever runs many cells keeps what was read.
    """
    started = time.perf_counter()
    dataset = cell.pipeline.dataset
    run = run_pipeline(
        cell.pipeline,
        folder / CELLS / cell.name,
        listeners,
        read(dataset) if isinstance(dataset, Path) else None,
        stage_cache=folder / _STAGES,
    )
    figures = figures_of(cell.pipeline, run.measurements)
    return Outcome(cell.name, time.perf_counter() - started, figures)


def failed(cell: Cell, seconds: float, error: Exception) -> Outcome:
    """Note what a cell raised."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    known = name in ("InputError", "InputErrors", "WorkError", "RegistryError")
    return Outcome(cell.name, seconds, error=text if known else f"{name}: {text}")
