"""From the figures of cells to tables: which make a row, a column, and what is compared."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from adc_core import InputError, Measurement
from adc_core.errors import unknown_name
from adc_core.reporting import measurement_tables
from adc_plugins_compare.comparison.cells import Cell
from adc_plugins_compare.comparison.comparison import SUBJECT, Comparison
from adc_plugins_compare.results.outcome import Outcome
from adc_plugins_compare.results.paired import tied_with_best
from adc_plugins_compare.results.table import Entry, Key, Table

Place = tuple[Key, str, str]
"""Levels of the axes of the rows, subject, and column."""


class _Figures(NamedTuple):
    """The figures of a metric in the order of the seeds, by the levels of all axes and subject."""

    better: Literal["higher", "lower"]
    values: dict[tuple[Key, str], dict[int | None, float]]


class _Source(NamedTuple):
    """Where the figures of an entry are.

    Attributes:
        metric: which.
        levels: of all axes.
        subject: within the cell.
    """

    metric: str
    levels: Key
    subject: str


def tables_of(
    comparison: Comparison, cells: Sequence[Cell], outcomes: Iterable[Outcome]
) -> list[Table]:
    """Make the tables that a comparison asks for.

    Args:
        comparison: its layout.
        cells: all that were planned.
        outcomes: how those that have ended did.

    Raises:
        InputError: the layout names a metric that nothing measured.
    """
    ended = {outcome.cell: outcome for outcome in outcomes}
    metrics = _figures(comparison, cells, ended)
    failures: dict[Key, int] = {}
    for cell in cells:
        key = tuple(cell.levels.values())
        outcome = ended.get(cell.name)
        failures[key] = failures.get(key, 0) + (outcome is None or outcome.error is not None)
    maker = _Maker(comparison, metrics, failures)
    if comparison.table.columns:
        tables = [maker.of_metric(metric) for metric in metrics]
    else:
        tables = [maker.of_metrics(group) for group in _alike(metrics)]
    return [table for table in tables if table.rows]


def _figures(
    comparison: Comparison, cells: Sequence[Cell], ended: Mapping[str, Outcome]
) -> dict[str, _Figures]:
    found: dict[str, _Figures] = {}
    details: set[str] = set()
    for cell in cells:
        outcome = ended.get(cell.name)
        for figure in outcome.figures if outcome is not None else ():
            if figure.detail:
                details.add(figure.metric)
            of_metric = found.setdefault(figure.metric, _Figures(figure.better, {}))
            key = tuple(cell.levels.values()), figure.subject
            value = np.nan if figure.value is None else figure.value
            of_metric.values.setdefault(key, {})[cell.seed] = value
    wanted = comparison.table.metrics
    if wanted is None:
        return {metric: figures for metric, figures in found.items() if metric not in details}
    if found and (unknown := [metric for metric in wanted if metric not in found]):
        raise InputError(f"table.metrics: {unknown_name('metric', unknown[0], found)}")
    return {metric: found[metric] for metric in wanted if metric in found}


def _alike(metrics: Mapping[str, _Figures]) -> list[list[str]]:
    """Group metrics that are measured of the same things."""
    named = [
        Measurement(metric=metric, subject=repr((levels, subject)), value=None, better="higher")
        for metric, figures in metrics.items()
        for levels, subject in figures.values
    ]
    return [list(table.columns) for table in measurement_tables(named)]


class _Maker:
    """Puts figures into rows and columns."""

    def __init__(
        self,
        comparison: Comparison,
        metrics: Mapping[str, _Figures],
        failures: Mapping[Key, int],
    ) -> None:
        self._axes = tuple(comparison.axes)
        self._seeds = comparison.seeds
        self._rows = comparison.rows
        self._columns = comparison.table.columns
        self._metrics = metrics
        self._failures = failures

    def of_metric(self, metric: str) -> Table:
        """Make the table of one metric, whose columns are levels of axes."""
        columns = dict.fromkeys(self._part(levels, self._columns) for levels in self._failures)
        grid = {
            (self._part(one.levels, self._rows), one.subject, self._column(one)): one
            for one in self._planned(metric)
        }
        return self._table(metric, tuple(", ".join(column) for column in columns), grid)

    def of_metrics(self, metrics: Sequence[str]) -> Table:
        """Make one table of several metrics, each a column."""
        grid = {
            (self._part(one.levels, self._rows), one.subject, metric): one
            for metric in metrics
            for one in self._planned(metric)
        }
        return self._table("", tuple(metrics), grid)

    def _column(self, one: _Source) -> str:
        return ", ".join(self._part(one.levels, self._columns))

    def _planned(self, metric: str) -> list[_Source]:
        """Add to what was measured the cells that failed, so that their rows show it."""
        values = self._metrics[metric].values
        subjects = list(dict.fromkeys(subject for _, subject in values))
        failed = [levels for levels, count in self._failures.items() if count]
        wanted = [(levels, subject) for levels in failed for subject in subjects]
        order = {levels: place for place, levels in enumerate(self._failures)}
        pairs = sorted(
            dict.fromkeys([*values, *wanted]),
            key=lambda pair: (order[pair[0]], subjects.index(pair[1])),
        )
        return [_Source(metric, *pair) for pair in pairs]

    def _part(self, levels: Key, axes: Sequence[str]) -> Key:
        return tuple(levels[self._axes.index(axis)] for axis in axes)

    def _in_order(self, rows: Iterable[tuple[Key, str]]) -> list[tuple[Key, str]]:
        """Sort rows by the order of the levels, axis by axis; what is none of them comes last."""
        order = [
            {level: place for place, level in enumerate(dict.fromkeys(levels))}
            for levels in zip(*(self._part(key, self._rows) for key in self._failures), strict=True)
        ]

        def places(row: tuple[Key, str]) -> list[int]:
            return [at.get(level, len(at)) for at, level in zip(order, row[0], strict=True)]

        return sorted(rows, key=places)

    def _without_repetition(self, grid: Mapping[Place, _Source]) -> dict[Place, _Source]:
        """Give a subject one row where it is the same whatever is compared, such as a baseline."""
        block = len(self._rows) - 1
        alike: dict[tuple[Key, str], dict[Key, dict[str, _Source]]] = {}
        for (row, subject, column), source in grid.items():
            if subject and row:
                of_subject = alike.setdefault((row[:block], subject), {})
                of_subject.setdefault(row, {})[column] = source
        shown, added = dict(grid), dict[Place, _Source]()
        for (before, subject), rows in alike.items():
            found = [
                {column: values for column, one in row.items() if (values := self._values(one))}
                for row in rows.values()
            ]
            there = [row for row in found if row]
            if len(rows) > 1 and there and all(row == there[0] for row in there):
                for row, columns in rows.items():
                    for column, source in columns.items():
                        del shown[row, subject, column]
                        if self._values(source):
                            added[(*before, subject), "", column] = source
        return shown | added

    def _values(self, one: _Source) -> Mapping[int | None, float]:
        return self._metrics[one.metric].values.get((one.levels, one.subject), {})

    def _table(self, title: str, columns: Key, grid: Mapping[Place, _Source]) -> Table:
        """Fill a table.

        Args:
            title: of it.
            columns: their names.
            grid: row, subject and column to where its figures are.
        """
        grid = self._without_repetition(grid)
        rows = self._in_order(dict.fromkeys((row, subject) for row, subject, _ in grid))
        block = max(0, len(self._rows) - 1)
        entries: dict[Place, Entry] = {}
        tested = False
        for column in columns:
            groups: dict[Key, list[Place]] = {}
            for row, subject in rows:
                if (place := (row, subject, column)) in grid:
                    groups.setdefault(row[:block], []).append(place)
            for group in groups.values():
                marked, enough = self._marked([grid[place] for place in group])
                entries.update(zip(group, marked, strict=True))
                tested |= enough
        has_subject = any(subject for _, subject in rows)
        return Table(
            title,
            (*self._rows, *((SUBJECT,) if has_subject else ())),
            columns,
            tuple(
                (
                    (*row, *((subject,) if has_subject else ())),
                    tuple(entries.get((row, subject, column)) for column in columns),
                )
                for row, subject in rows
            ),
            block,
            tested,
        )

    def _marked(self, group: Sequence[_Source]) -> tuple[list[Entry], bool]:
        """Make the entries of what is compared with each other, and mark the best."""
        entries = [self._entry(one) for one in group]
        if len(entries) < 2:
            return entries, False
        count = max(len(entry.values) for entry in entries)
        best, tied, tested = tied_with_best(
            [np.broadcast_to(entry.values, count) for entry in entries],
            self._metrics[group[0].metric].better,
        )
        marked = [
            entry._replace(best=row == best, tied=bool(tied[row]))
            for row, entry in enumerate(entries)
        ]
        return marked, tested

    def _entry(self, one: _Source) -> Entry:
        values, missing = self._values(one), self._failures[one.levels]
        if None in values:  # no seed changes it
            return Entry((values[None],), missing)
        return Entry(tuple(values.get(seed, np.nan) for seed in self._seeds), missing)
