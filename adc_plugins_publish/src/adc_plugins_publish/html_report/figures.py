"""The report's figures, as SVG text to put into a page."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adc_core import Dataset, Measurement
from adc_core.arrays import Array, from_arrow
from adc_core.records import COLORS

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "adc",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
    text = file.getvalue()
    return text[text.index("<svg") :]


def _new(width: float, height: float) -> tuple[Figure, Axes]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.add_subplot()


def _verbatim(names: Sequence[str]) -> list[str]:
    """Escape names: between dollars, matplotlib reads formulas."""
    return [name.replace("$", r"\$") for name in names]


def class_counts(dataset: Dataset, things: str) -> str:
    """Draw bars: how many images, or other things, of each class, by the engine that found them."""
    engines = np.full(len(dataset), "given")
    if dataset.sources is not None and "engine" in dataset.sources.column_names:
        engines = from_arrow(dataset.sources["engine"])
    figure, axes = _new(4.6, 1.2 + 0.25 * len(dataset.classes))
    left = np.zeros(len(dataset.classes))
    places = np.arange(len(dataset.classes))
    for number, engine in enumerate(np.unique(engines)):
        counts = np.bincount(dataset.labels[engines == engine], minlength=len(dataset.classes))
        color = COLORS[number % len(COLORS)]
        axes.barh(places, counts, left=left, color=color, label=_verbatim([str(engine)])[0])
        left += counts
    for place, total in zip(places, left, strict=True):
        axes.text(float(total), float(place), f" {int(total)}", va="center")
    axes.set_yticks(places, _verbatim(dataset.classes))
    axes.invert_yaxis()
    axes.set_xlabel(things)
    axes.margins(x=0.15)
    figure.legend(frameon=False, loc="outside upper left", ncols=3)
    return _svg(figure)


def transition(matrix: Array, classes: Sequence[str], name: str) -> str:
    """Draw a heat map: how often each true class is given each label."""
    side = 1.6 + 0.42 * len(classes)
    figure, axes = _new(side + 0.8, side)
    image = axes.imshow(matrix, vmin=0, vmax=1, cmap="Blues")
    names = _verbatim(classes)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("given label")
    axes.set_ylabel("true class")
    axes.set_title(name)
    if len(classes) <= 20:
        for (row, column), value in np.ndenumerate(matrix):
            color = "white" if value > 0.5 else "#333333"
            label = f"{100 * value:.0f}"
            axes.text(column, row, label, ha="center", va="center", color=color, fontsize=8)
    figure.colorbar(image, ax=axes, shrink=0.8, label="probability; cells in %")
    return _svg(figure)


def accuracies(measurements: Sequence[Measurement]) -> str:
    """Draw bars: accuracy of each training and of its worst class; empty where none is known."""
    shown = ("accuracy", "worst-class accuracy")
    figures: dict[str, dict[str, float]] = {}
    for measured in measurements:
        if measured.metric in shown and measured.value is not None:
            figures.setdefault(measured.subject, {})[measured.metric] = measured.value
    if not figures:
        return ""
    figure, axes = _new(4.6, 1.2 + 0.5 * len(figures))
    places = np.arange(len(figures))
    for number, metric in enumerate(shown):
        values = [found.get(metric, np.nan) for found in figures.values()]
        where = places + (number - 0.5) * 0.36
        axes.barh(where, values, height=0.34, color=COLORS[number], label=metric)
        for place, value in zip(where, values, strict=True):
            axes.text(value, place, f" {100 * value:.1f} %", va="center")
    axes.set_yticks(places, list(figures))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.25)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xlabel("accuracy on the test set")
    figure.legend(frameon=False, loc="outside upper left", ncols=2)
    return _svg(figure)
