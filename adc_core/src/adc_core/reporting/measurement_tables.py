"""Measurements as tables: a row per subject, a column per metric."""

from collections.abc import Iterable
from typing import NamedTuple

from adc_core.records.run import Measurement


class MeasurementTable(NamedTuple):
    """What can be compared.

    Attributes:
        columns: metrics.
        rows: subject, and its figures by metric; None where a figure is undefined, and no entry
            where the metric does not apply.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, dict[str, float | None]], ...]


def measurement_tables(
    measurements: Iterable[Measurement], *, details: bool = False
) -> list[MeasurementTable]:
    """Make one table for all subjects that share a metric, directly or through others.

    Args:
        measurements: in the order of columns and rows.
        details: take those that are one of many, such as the accuracy of one class, or the others.
    """
    subjects: dict[str, dict[str, float | None]] = {}
    for measured in measurements:
        if measured.detail == details:
            subjects.setdefault(measured.subject, {})[measured.metric] = measured.value
    groups: list[tuple[dict[str, None], list[str]]] = []
    for subject, figures in subjects.items():
        metrics, names = dict.fromkeys(figures), [subject]
        alike = [group for group in groups if not metrics.keys().isdisjoint(group[0])]
        for group in reversed(alike):
            metrics, names = group[0] | metrics, group[1] + names
        groups = [group for group in groups if group not in alike]
        groups.append((metrics, names))
    return [
        MeasurementTable(tuple(metrics), tuple((name, subjects[name]) for name in names))
        for metrics, names in groups
    ]
