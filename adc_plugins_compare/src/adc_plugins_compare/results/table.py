"""A table of a comparison: means over the seeds, their spread, and which are best."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adc_plugins_compare.results.paired import FEWEST

Key = tuple[str, ...]
"""Names in a row: levels of axes, columns."""


class Entry(NamedTuple):
    """One figure of a table.

    Attributes:
        values: S figures, one per seed; NaN where a run failed or the figure is undefined. A run
            that takes no seed has one.
        missing: how many of its runs failed.
        best: it has the best mean of those that it is compared with.
        tied: a paired test over the seeds does not tell it from the best.
    """

    values: tuple[float, ...]
    missing: int = 0
    best: bool = False
    tied: bool = False

    @property
    def mean(self) -> float | None:
        """The mean over the seeds; None where there is no figure."""
        there = self._there()
        return float(there.mean()) if len(there) else None

    @property
    def spread(self) -> float | None:
        """The standard deviation over the seeds, of a sample; None of less than two."""
        there = self._there()
        return float(there.std(ddof=1)) if len(there) > 1 else None

    def _there(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        values = np.asarray(self.values, np.float64)
        return values[np.isfinite(values)]


class Table(NamedTuple):
    """What can be compared.

    Attributes:
        title: the metric, where the columns are axes; else empty.
        heads: what the parts of a row's name are: axes, and `subject` where cells measure several.
        columns: their names.
        rows: the name of each in its parts, and its entries; None where there is none.
        block: how many parts of a row's name say with which rows it is compared.
        tested: whether there were seeds enough to tell ties.
    """

    title: str
    heads: Key
    columns: Key
    rows: tuple[tuple[Key, tuple[Entry | None, ...]], ...]
    block: int
    tested: bool


def caption(seeds: int, tables: Sequence[Table]) -> str:
    """Say in a few sentences what the figures are and how far they can be trusted.

    Args:
        seeds: how many there were.
        tables: all that were made.
    """
    spread = any(
        entry is not None and entry.spread is not None
        for table in tables for _, entries in table.rows for entry in entries
    )  # fmt: skip
    if not spread:
        return "One run each: without several seeds nobody knows how much chance is in a figure."
    said = f"Mean ± standard deviation over {seeds} seeds; without ± no seed changed the figure."
    if any(table.tested for table in tables):
        return (
            f"{said} Marked: the best, and those that a paired t-test over the seeds (5 %, Holm) "
            "does not tell from it; with few seeds it tells little."
        )
    return f"{said} Marked: the best; to tell it from the others takes {FEWEST} seeds."
