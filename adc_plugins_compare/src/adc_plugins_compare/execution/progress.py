"""How far a comparison is, on the terminal."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from adc_core.cli import seen_by_somebody
from adc_plugins_compare.comparison.cells import CELLS
from adc_plugins_compare.results.outcome import Outcome


class Progress:
    """Prints a line per cell that has ended; where somebody looks, the present work as well.

    Args:
        total: cells in all.
        bars: whether a line shows what each cell does, where somebody looks.
    """

    def __init__(self, total: int, *, bars: bool) -> None:
        self._total = total
        self._ended = 0
        self._bars: dict[str, tqdm[Any]] = {}
        self._shown = bars and seen_by_somebody(sys.stderr)

    def begins(self, folder: Path) -> None:
        """Say what there is to do, and where."""
        noun = "cell" if self._total == 1 else "cells"
        print(f"{self._total} {noun} in {folder / CELLS}", file=sys.stderr)

    def started(self, cell: str) -> None:
        """Show that a cell has begun."""
        taken = {-bar.pos if bar.pos < 0 else bar.pos for bar in self._bars.values()}
        position = next(number for number in range(len(taken) + 1) if number not in taken)
        self._bars[cell] = tqdm(
            desc=cell,
            position=position,
            leave=False,
            disable=not self._shown,
            file=sys.stderr,
            bar_format="{desc} {elapsed}{postfix}",
        )

    def at(self, cell: str, stage: str) -> None:
        """Show what a cell does now."""
        if cell in self._bars and self._shown:
            self._bars[cell].set_postfix_str(stage)

    def ended(self, outcome: Outcome) -> None:
        """Print how a cell ended."""
        self._close(outcome.cell)
        self._ended += 1
        how = f"{outcome.seconds:.1f} s" if outcome.error is None else f"failed: {outcome.error}"
        count = f"{self._ended:{len(str(self._total))}}/{self._total}"
        tqdm.write(f"{count}  {outcome.cell}: {how}", file=sys.stderr)

    def close(self, cells: Sequence[str] = ()) -> None:
        """Take away what is still shown."""
        for cell in list(cells or self._bars):
            self._close(cell)

    def _close(self, cell: str) -> None:
        if (bar := self._bars.pop(cell, None)) is not None:
            bar.close()
