"""How records look in a terminal and in a notebook: a line each, a short table, a figure.

Rows of a table are few and made for people; the arrays hold all of them.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from adc_core.arrays.validation import Array
from adc_core.records.signatures import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = 10
"""Rows of a table in a notebook."""

COLORS = ("#2f6f8f", "#d98c3f", "#6a9a57", "#a15c8e", "#8a8a8a")
"""Of the parts of a figure, in this order."""

_LONGEST = 60


def shortened(value: Any) -> Any:
    """Show a value within a record; of arrays and tables only the type and the shape."""
    if isinstance(value, np.ndarray):
        return Words(f"{value.dtype} {' × '.join(f'{side:,}' for side in value.shape) or 'scalar'}")
    if isinstance(value, pa.Table):
        return Words(f"table {value.num_rows:,} × {value.num_columns}")
    if isinstance(value, dict):
        value = {key: shortened(item) for key, item in value.items()}
    elif isinstance(value, tuple):
        value = tuple(map(shortened, value))
    elif isinstance(value, str | int | float | bool | None):
        return value
    text = repr(value)
    return value if len(text) <= _LONGEST else Words(f"{text[: _LONGEST - 1]}…")


def counted(number: int, thing: str) -> str:
    """Format a count: `1 sample`, `1,797 samples`."""
    return f"{number:,} {thing if number == 1 else _plural(thing)}"


def _plural(thing: str) -> str:
    return f"{thing}es" if thing.endswith("s") else f"{thing}s"


def percent(share: float) -> str:
    """Format a share: `12.0 %`."""
    return f"{100 * share:.1f} %"


def table(head: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a line and a table as HTML; every text is escaped."""
    return "".join(_table(head, columns, rows))


def _table(head: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"<p>{escape(head)}</p><table><thead><tr>"
    yield from (f"<th>{escape(column)}</th>" for column in columns)
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = "".join(f"<td>{escape(_cell(value))}</td>" for value in row)
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.3f}"
    return "" if value is None else str(value)


def suspicion_figure(suspicion: Array, flagged: Array) -> "Figure":
    """Draw how many samples are how suspicious, the flagged ones before the others.

    Args:
        suspicion: N float64 in 0…1, NaN for samples that were not judged.
        flagged: N booleans.

    Returns:
        A figure of its own, which no other drawing knows of; notebooks show it.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("a figure needs matplotlib: pip install matplotlib") from None

    class Shown(Figure):
        """A figure that notebooks show, though pyplot never heard of it."""

        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png", dpi=100)
            return file.getvalue()

    judged = ~np.isnan(suspicion)
    parts = [suspicion[judged & ~flagged], suspicion[judged & flagged]]
    names = [f"not flagged ({len(parts[0]):,})", f"flagged ({len(parts[1]):,})"]
    figure = Shown(figsize=(6, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.hist(
        parts,
        bins=np.linspace(0, 1, 41).tolist(),
        histtype="stepfilled",  # one before the other: stacked, heights mean nothing on this axis
        alpha=0.8,
        label=names,
        color=COLORS[:2],
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("suspicion")
    axes.set_ylabel("samples")
    axes.set_yscale("symlog")
    # hist draws its first part last, so that it is on top; a legend lists what was drawn first.
    figure.legend(frameon=False, loc="outside upper left", ncols=2, reverse=True)
    return figure
