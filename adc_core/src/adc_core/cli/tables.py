"""The tables that end a run on the terminal."""

from collections.abc import Iterator

from adc_core.run import Measurement, Run


def tables_of(run: Run) -> Iterator[str]:
    """One table per set of metrics: a row per subject, a column per metric; no details."""
    subjects: dict[str, list[Measurement]] = {}
    for measurement in run.measurements:
        if not measurement.detail:
            subjects.setdefault(measurement.subject, []).append(measurement)
    groups: dict[tuple[str, ...], list[str]] = {}
    for subject, measured in subjects.items():
        groups.setdefault(tuple(m.metric for m in measured), []).append(subject)
    for metrics, names in groups.items():
        rows = [[name, *(_figure(m.value) for m in subjects[name])] for name in names]
        yield table(["", *metrics], rows)


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def table(head: list[str], rows: list[list[str]], *, texts: int = 1) -> str:
    """Columns side by side: the first `texts` begin, the others end on one line."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
