"""What the terminal shows of the findings of a run."""

from collections.abc import Iterator

from adc_core.records.run import Run
from adc_core.reporting.detector_summaries import (
    flagged_by_any,
    most_suspicious_first,
    suggestions,
    summarize_detectors,
)
from adc_core.reporting.text_tables import table
from adc_core.reporting.trust import noise_text, repair_lines, trust_lines

SHOWN = 10
"""How many suspicious samples are printed; the file has all."""


def parts_found(run: Run) -> Iterator[str]:
    """Write how far the evidence can be trusted, a row per detector, and the first suspects."""
    if run.findings:
        if trust := "\n".join(trust_lines(run.findings)):
            yield trust
        yield _verdicts(run)
        yield _suspects(run)
    if repaired := "\n".join(repair_lines(run)):
        yield repaired


def _verdicts(run: Run) -> str:
    head = ["detector", "flagged", "share", "estimated noise", "suggestions"]
    rows = [
        [
            verdict.detector,
            f"{verdict.flagged:,}",
            f"{100 * verdict.share:.1f} %",
            noise_text(run.findings[verdict.detector]),
            f"{verdict.suggested:,}",
        ]
        for verdict in summarize_detectors(run.findings)
    ]
    return table(head, rows)


def _suspects(run: Run) -> str:
    """Return the first flagged samples, each with the labels that its detectors suggest."""
    dataset = run.collected
    order = most_suspicious_first(run.findings.values())
    flagged = flagged_by_any(run.findings.values())
    rows = order[:SHOWN][flagged[order[:SHOWN]]].tolist()
    if not rows:
        return "no label is flagged"
    suggested = {name: suggestions(run.findings[name], dataset.classes) for name in run.findings}
    head = ["most suspicious", "given", "suggested", "flagged by"]
    lines = []
    for row in rows:
        names = dict.fromkeys(column[row].as_py() for column in suggested.values())
        by = [name for name, found in run.findings.items() if found.flagged[row]]
        words = [
            str(dataset.ids[row]),
            dataset.classes[dataset.labels[row]],
            " or ".join(name for name in names if name is not None) or "-",
            ", ".join(by),
        ]
        lines.append([_printable(word) for word in words])
    return table(head, lines, texts=len(head))


def _printable(text: str) -> str:
    """Return a text without characters that could control the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
