"""The tables that end a run on the terminal."""

from collections.abc import Iterator

from adc_core.records.run import Run
from adc_core.reporting.measurement_tables import measurement_tables

_WIDEST = 60
"""Characters of a cell."""


def tables_of(run: Run) -> Iterator[str]:
    """Print what was measured, without details; empty cells where a metric does not apply."""
    for columns, rows in measurement_tables(run.measurements):
        cells = [
            [name, *(_figure(figures[m]) if m in figures else "" for m in columns)]
            for name, figures in rows
        ]
        yield table(["", *columns], cells)


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _cell(text: str) -> str:
    line = "".join(filter(str.isprintable, " ".join(text.split())))
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


def table(head: list[str], rows: list[list[str]], *, texts: int = 1) -> str:
    """Align columns: the first `texts` on the left, the others on the right.

    A cell's text may be anybody's: it is cut, and cannot control a terminal.
    """
    lines = [[_cell(text) for text in line] for line in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
