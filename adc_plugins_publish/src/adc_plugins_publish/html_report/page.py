"""The report's page: what the template is given, and the template."""

from pathlib import Path
from typing import Any

import numpy as np

from adc_core import Measurement, Run
from adc_core.reporting import (
    headline,
    measurement_tables,
    noise_text,
    page_environment,
    summarize,
    summarize_detectors,
    trust_lines,
)
from adc_core.runs import COLLECTOR, PIPELINE, read_record
from adc_core.storage import UNKNOWN
from adc_plugins_publish.html_report import figures
from adc_plugins_publish.html_report.certificate import certificate_lines
from adc_plugins_publish.html_report.suspects import most_suspicious


def render(folder: Path, run: Run) -> str:
    """Render the page of a finished run, complete in one text.

    Args:
        folder: the run directory.
        run: its records.
    """
    record = read_record(folder)
    assert record is not None
    things = "samples" if run.collected.images is None else "images"
    environment = page_environment("adc_plugins_publish.html_report")
    environment.filters["percent"] = lambda value: f"{100 * value:.1f} %"
    environment.filters["figure"] = lambda value: "–" if value is None else f"{value:.3f}"
    return environment.get_template("page.html.j2").render(
        run=run,
        title=run.brief.subject if run.brief else folder.resolve().name,
        record=record,
        pipeline=(folder / PIPELINE).read_text(encoding="utf-8"),
        things=things,
        facts=_facts(run, things),
        counts_figure=figures.class_counts(run.collected, things),
        summary=run.design and summarize(run.design, run.collected, folder / COLLECTOR),
        detectors=[
            (v, noise_text(run.findings[v.detector])) for v in summarize_detectors(run.findings)
        ],
        trust=list(trust_lines(run.findings)),
        estimators=next(
            (f.noise_range.estimators for f in run.findings.values() if f.noise_range), {}
        ),
        transitions=[
            (name, figures.transition(found.transition, run.collected.classes, name))
            for name, found in run.findings.items()
            if found.transition is not None
        ],
        suspects=most_suspicious(run),
        certificate=certificate_lines(folder, run),
        tables=_tables(run.measurements),
        accuracy_figure=figures.accuracies(run.measurements),
        delta_figure=figures.delta_curves(run.measurements),
        sizes_figure=figures.classes_by_size(run.collected, run.measurements, things),
        packages=_main_packages(record.packages),
    )


def _facts(run: Run, things: str) -> list[tuple[str, str]]:
    """Yield the few figures at the top of the page."""
    facts = [(things, f"{len(run.collected):,}"), ("classes", str(len(run.collected.classes)))]
    if run.design:
        facts.append(("queries", f"{len(run.design.queries):,}"))
    if (estimate := headline(run.findings)) is not None:
        facts.append(("estimated wrong labels", estimate))
    if run.truth is not None:
        known = run.truth != UNKNOWN
        wrong = float(np.mean(run.collected.labels[known] != run.truth[known]))
        facts.append(("truly wrong labels", f"{100 * wrong:.1f} %"))
    if run.curations:
        facts.append((f"{things} after curation", f"{len(run.curated):,}"))
    return facts


def _tables(measurements: tuple[Measurement, ...]) -> list[dict[str, Any]]:
    """Make tables of figures, then of details; many metrics of few subjects are transposed."""
    tables = []
    for details in (False, True):
        for columns, rows in measurement_tables(measurements, details=details):
            cells = [(name, [_figure(figures, m) for m in columns]) for name, figures in rows]
            if len(columns) > max(8, len(rows)):
                turned = [(m, [_figure(figures, m) for _, figures in rows]) for m in columns]
                tables.append({"columns": [name for name, _ in rows], "rows": turned})
            else:
                tables.append({"columns": columns, "rows": cells})
    return tables


def _figure(figures: dict[str, float | None], metric: str) -> str:
    """Format a figure to three places; a dash: undefined, nothing: it does not apply."""
    value = figures.get(metric)
    return ("–" if metric in figures else "") if value is None else f"{value:.3f}"


def _main_packages(packages: dict[str, str]) -> list[tuple[str, str]]:
    """Return the packages that the page lists: ADC's own first; run.json has all."""
    own = [(name, version) for name, version in packages.items() if name.startswith("adc-")]
    main = ("numpy", "scikit-learn", "torch", "torchvision", "pillow", "pyarrow")
    return own + [(name, packages[name]) for name in main if name in packages]
