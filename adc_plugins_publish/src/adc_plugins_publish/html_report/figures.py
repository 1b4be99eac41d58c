"""The report's figures, as SVG text to put into a page."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from adc_core import Dataset, Measurement
from adc_core.arrays import Array, from_arrow
from adc_core.records import COLORS
from adc_core.reporting import new_figure, svg_of, verbatim


def class_counts(dataset: Dataset, things: str) -> str:
    """Draw bars: how many images, or other things, of each class, by the engine that found them."""
    engines = np.full(len(dataset), "given")
    if dataset.sources is not None and "engine" in dataset.sources.column_names:
        engines = from_arrow(dataset.sources["engine"])
    figure, axes = new_figure(4.6, 1.2 + 0.25 * len(dataset.classes))
    left = np.zeros(len(dataset.classes))
    places = np.arange(len(dataset.classes))
    for number, engine in enumerate(np.unique(engines)):
        counts = np.bincount(dataset.labels[engines == engine], minlength=len(dataset.classes))
        color = COLORS[number % len(COLORS)]
        axes.barh(places, counts, left=left, color=color, label=verbatim(str(engine)))
        left += counts
    for place, total in zip(places, left, strict=True):
        axes.text(float(total), float(place), f" {int(total)}", va="center")
    axes.set_yticks(places, [*map(verbatim, dataset.classes)])
    axes.invert_yaxis()
    axes.set_xlabel(things)
    axes.margins(x=0.15)
    figure.legend(frameon=False, loc="outside upper left", ncols=3)
    return svg_of(figure)


def transition(matrix: Array, classes: Sequence[str], name: str) -> str:
    """Draw a heat map: how often each true class is given each label."""
    side = 1.6 + 0.42 * len(classes)
    figure, axes = new_figure(side + 0.8, side)
    image = axes.imshow(matrix, vmin=0, vmax=1, cmap="Blues")
    names = [*map(verbatim, classes)]
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
    return svg_of(figure)


def accuracies(measurements: Sequence[Measurement]) -> str:
    """Draw bars: accuracy of each training and of its worst class; empty where none is known."""
    shown = ("accuracy", "worst-class accuracy")
    figures: dict[str, dict[str, float]] = {}
    for measured in measurements:
        if measured.metric in shown and measured.value is not None:
            figures.setdefault(measured.subject, {})[measured.metric] = measured.value
    if not figures:
        return ""
    figure, axes = new_figure(4.6, 1.2 + 0.5 * len(figures))
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
    return svg_of(figure)


_MARKERS = "os^Dv"
"""Where there are more trainings than colors, those of one color differ in the marker."""

_DELTA = re.compile(r"δ-worst accuracy, δ = (?P<delta>∞|[0-9.e+-]+)(?P<how>.*)")


def _style(number: int) -> dict[str, Any]:
    """Give a training its color and marker."""
    marker = _MARKERS[number // len(COLORS) % len(_MARKERS)]
    return {"color": COLORS[number % len(COLORS)], "marker": marker, "markersize": 4.5}


def delta_curves(measurements: Sequence[Measurement]) -> str:
    """Draw the accuracy on the worst distribution of classes within each distance, by training.

    Infinity has a place of its own, after a dotted line; empty where nothing of it was measured.
    """
    curves: dict[str, dict[float, float]] = {}
    for measured in measurements:
        if (found := _DELTA.fullmatch(measured.metric)) and measured.value is not None:
            delta = np.inf if found["delta"] == "∞" else float(found["delta"])
            curves.setdefault(measured.subject + found["how"], {})[delta] = measured.value
    deltas = sorted({delta for curve in curves.values() for delta in curve if delta < np.inf})
    if not deltas:
        return ""
    # By the root, or the small distances that are usual would lie upon each other.
    place = {delta: float(np.sqrt(delta)) for delta in deltas}
    place[np.inf] = 1.25 * (place[deltas[-1]] or 1)
    figure, axes = new_figure(4.6, 3.2 + 0.2 * len(curves))
    for number, (name, curve) in enumerate(curves.items()):
        style = _style(number)
        known = [delta for delta in deltas if delta in curve]
        x, y = [place[delta] for delta in known], [curve[delta] for delta in known]
        axes.plot(x, y, label=verbatim(name), **style)
        if np.inf in curve and known:
            end = [place[np.inf]], [curve[np.inf]]
            axes.plot([x[-1], *end[0]], [y[-1], *end[1]], ":", color=style["color"])
            axes.plot(*end, **style)
    axes.set_xticks([*place.values()], [*(f"{delta:g}" for delta in deltas), "∞"])
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("δ: distance from equal classes, in nats")
    axes.set_ylabel("accuracy on the worst")
    figure.legend(frameon=False, loc="outside upper left")
    return svg_of(figure)


def classes_by_size(dataset: Dataset, measurements: Sequence[Measurement], things: str) -> str:
    """Draw each class's count beside its accuracy by every training, the largest class first.

    Empty where no accuracy of a class is known.
    """
    names = {f"accuracy of {name}": place for place, name in enumerate(dataset.classes)}
    figures: dict[str, Array] = {}
    for measured in measurements:
        if measured.detail and measured.metric in names and measured.value is not None:
            known = figures.setdefault(measured.subject, np.full(len(names), np.nan))
            known[names[measured.metric]] = measured.value
    if not figures:
        return ""
    order = np.argsort(-dataset.class_counts, kind="stable")
    places = np.arange(len(order))
    height = 1.3 + 0.25 * len(order) + 0.2 * len(figures)
    figure, (left, right) = new_figure(4.6, height, columns=2, sharey=True, width_ratios=(2, 3))
    counts = dataset.class_counts[order]
    left.barh(places, counts, color="#b9c4ca")
    for place, count in zip(places, counts.tolist(), strict=True):
        left.text(count, place, f" {count}", va="center", fontsize=8)
    left.set_yticks(places, [verbatim(dataset.classes[k]) for k in order])
    left.invert_yaxis()
    left.margins(x=0.35)
    left.set_xlabel(things)
    for number, (name, values) in enumerate(figures.items()):
        label = verbatim(name)
        right.plot(values[order], places, label=label, **_style(number), linestyle="", alpha=0.8)
    right.set_xlim(-0.03, 1.03)
    right.set_xticks([0, 0.5, 1])
    right.grid(axis="y", color="#dde3e6", linewidth=0.6)
    right.set_axisbelow(True)
    right.set_xlabel("accuracy on the test set")
    figure.legend(frameon=False, loc="outside upper left")
    return svg_of(figure)
