"""Figures for pages: matplotlib's, as SVG text without dates or random names.

A package that draws brings matplotlib; the core does without.
"""

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "adc",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def new_figure(
    width: float, height: float, *, rows: int = 1, columns: int = 1, **options: Any
) -> tuple["Figure", Any]:
    """Make a figure in the style of pages.

    Args:
        width: in inches.
        height: in inches.
        rows: axes below each other.
        columns: axes beside each other.
        options: of `Figure.subplots`.

    Returns:
        The figure, and its axes, or an array of them where there are several.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


def svg_of(figure: "Figure") -> str:
    """Return a figure as an SVG element without a background; equal figures give equal text."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = io.StringIO()
    parts: list[Any] = [figure, *figure.axes]
    for part in parts:
        part.patch.set_facecolor("none")
    canvas: Any = FigureCanvasSVG(figure)
    with mpl.rc_context(_STYLE):
        # By its canvas: savefig would lay everything out twice.
        canvas.print_svg(file, metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def verbatim(name: str) -> str:
    """Escape a name for a figure: between dollars, matplotlib reads formulas."""
    return name.replace("$", r"\$")
