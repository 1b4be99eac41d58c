"""The plots of a comparison, as SVG text to put into a page."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from adc_core.records import COLORS
from adc_core.reporting import new_figure, svg_of, verbatim
from adc_plugins_compare.results.table import Entry, Table

_NUMBER = re.compile(r"(.* = )?(∞|-?\d+(?:\.\d+)?(?:e-?\d+)?)(.*)")


class Plot(NamedTuple):
    """A picture of a table.

    Attributes:
        title: what it shows.
        svg: it.
        said: the same in words.
    """

    title: str
    svg: str
    said: str


def plots_of(table: Table) -> list[Plot]:
    """Draw a table: curves over columns that are numbers, and dots, one per seed, elsewhere."""
    plots, alone = [], []
    for title, places in _scales(table.columns):
        if len(places) > 1:
            plots.append(_curves(table, title, places))
        else:
            alone += places
    return plots + ([_dots(table, alone)] if alone else [])


def plots_across(tables: Sequence[Table]) -> list[Plot]:
    """Draw curves over metrics whose names differ in a number alone, a plot per column.

    Tables of one metric each, such as the accuracy at several distances δ, say together what none
    of them says alone.
    """
    plots = []
    numbered = [table for table in tables if _NUMBER.fullmatch(table.title)]
    for title, places in _scales([table.title for table in numbered]):
        if len(places) < 2:
            continue
        alike = [numbered[place] for place in places]
        for column, name in enumerate(alike[0].columns):
            rows = [
                (row, tuple(_entry(table, row, column) for table in alike))
                for row, _ in alike[0].rows
            ]
            across = alike[0]._replace(
                title="", columns=tuple(table.title for table in alike), rows=tuple(rows)
            )
            plot = _curves(across, title, range(len(alike)))
            plots.append(plot._replace(title=f"{plot.title}: {name}"))
    return plots


def _entry(table: Table, row: tuple[str, ...], column: int) -> Entry | None:
    return next((entries[column] for name, entries in table.rows if name == row), None)


def _scales(columns: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Group columns whose names differ in a number alone: by the name without it."""
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(columns):
        found = _NUMBER.fullmatch(name)
        title = name if found is None else f"{found[1] or ''}…{found[3]}"
        groups.setdefault(title, []).append(place)
    return list(groups.items())


def _number(name: str) -> float:
    found = _NUMBER.fullmatch(name)
    assert found is not None
    return math.inf if found[2] == "∞" else float(found[2])


def _curves(table: Table, title: str, places: Sequence[int]) -> Plot:
    """Draw a line per row over the numbers of some columns, with bars of the spread."""
    numbers = [_number(table.columns[place]) for place in places]
    finite = [number for number in numbers if math.isfinite(number)]
    wide = len(finite) > 2 and min(finite) > 0 and max(finite) / min(finite) > 8
    at = [one if math.isfinite(one) else 1.25 * max(finite, default=1.0) for one in numbers]
    figure, axes = new_figure(6.2, 3.4 + 0.22 * len(table.rows))
    for number, (name, entries) in enumerate(table.rows):
        drawn = [(x, entries[place]) for x, place in zip(at, places, strict=True)]
        shown = [(x, one) for x, one in drawn if one is not None and one.mean is not None]
        axes.errorbar(
            [x for x, _ in shown],
            [one.mean or 0 for _, one in shown],
            [one.spread or 0 for _, one in shown],
            color=COLORS[number % len(COLORS)],
            linestyle=("-", "--", ":")[number // len(COLORS) % 3],
            marker="o",
            markersize=3.5,
            capsize=2,
            linewidth=1.4,
            label=verbatim(", ".join(name)),
        )
    if wide:
        axes.set_xscale("log")
    axes.set_xticks(at, [table.columns[place] for place in places] if not _shared(table, places)
                    else ["∞" if math.isinf(one) else f"{one:g}" for one in numbers])  # fmt: skip
    axes.minorticks_off()
    axes.grid(axis="y", color="#dde3e6", linewidth=0.6)
    whole = table.title or title.partition(" = ")[0].rpartition(", ")[0] or title
    axes.set_ylabel(verbatim(whole))
    if " = " in title:
        axes.set_xlabel(verbatim(title.partition(" = ")[0].rpartition(", ")[2]))
    figure.legend(frameon=False, loc="outside lower left", ncols=2)
    return Plot(whole, svg_of(figure), _in_words(table, places))


def _shared(table: Table, places: Sequence[int]) -> bool:
    return all(" = " in table.columns[place] for place in places)


def _dots(table: Table, places: Sequence[int]) -> Plot:
    """Draw a panel per column: a row's seeds as dots, their mean as a line."""
    across = min(3, len(places))
    down = -(-len(places) // across)
    height = 1.1 + 0.27 * len(table.rows)
    wide = 0.3 + 0.085 * max(len(", ".join(name)) for name, _ in table.rows)
    figure, grid = new_figure(
        wide + 2.6 * across, height * down, rows=down, columns=across, sharey=True, squeeze=False
    )
    names = [verbatim(", ".join(name)) for name, _ in table.rows]
    for panel, axes in enumerate(grid.flat):
        if panel >= len(places):
            axes.set_visible(False)
            continue
        for row, (_, entries) in enumerate(table.rows):
            entry = entries[places[panel]]
            if entry is not None and entry.mean is not None:
                _seeds(axes, row, entry)
        axes.set_title(verbatim(table.columns[places[panel]]), fontsize=10)
        axes.grid(axis="x", color="#dde3e6", linewidth=0.6)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
    return Plot(table.title or "Every seed", svg_of(figure), _in_words(table, places))


def _seeds(axes: Axes, row: int, entry: Entry) -> None:
    assert entry.mean is not None
    color = COLORS[0] if entry.best or entry.tied else "#8a979e"
    there = [value for value in entry.values if value == value]
    axes.plot([entry.mean, entry.mean], [row - 0.3, row + 0.3], color=color, linewidth=2)
    axes.scatter(there, [row] * len(there), s=16, color=color, alpha=0.6, linewidths=0)


def _in_words(table: Table, places: Sequence[int]) -> str:
    said = []
    for place in places:
        best = [", ".join(name) for name, entries in table.rows
                if (one := entries[place]) is not None and one.best]  # fmt: skip
        if best:
            said.append(f"{table.columns[place]}: best {'; '.join(best)}")
    return "; ".join(said)
