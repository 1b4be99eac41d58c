"""The most suspicious samples, with what is said of them and why."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adc_core import Run
from adc_core.reporting import data_url, flagged_by_any, most_suspicious_first
from adc_core.storage import NO_CLASS, UNKNOWN
from adc_plugins_publish.html_report.reasons import Reasons, reasons_of

SHOWN = 30
_SIDE = 96
_NONE_OF_THEM = "none of the classes"


@dataclass(frozen=True)
class DetectorVote:
    """What one detector says of one label.

    Attributes:
        detector: its name in the pipeline.
        suspicion: 0 surely right … 1 surely wrong, or None where it did not judge.
        flagged: it judges the label wrong.
        suggestion: another class, or nothing.
    """

    detector: str
    suspicion: float | None
    flagged: bool
    suggestion: str


@dataclass(frozen=True)
class Suspect:
    """One sample and what the run says of its label.

    Attributes:
        id: of the sample.
        image: a data URL; empty where the dataset has no images.
        given: the class that it was collected as.
        votes: one per detector.
        reasons: what the evidence says.
        truth: the true class, or nothing.
        outcome: what the curators did.
    """

    id: str
    image: str
    given: str
    votes: tuple[DetectorVote, ...]
    reasons: Reasons
    truth: str
    outcome: str


def most_suspicious(run: Run) -> list[Suspect]:
    """Return the flagged samples that the detectors suspect most, by the mean of their ranks."""
    if not run.findings:
        return []
    order = most_suspicious_first(run.findings.values())[:SHOWN]
    flagged = flagged_by_any(run.findings.values())
    return [_suspect(run, int(row)) for row in order if flagged[row]]


def _suspect(run: Run, row: int) -> Suspect:
    dataset = run.collected
    classes = dataset.classes
    true = UNKNOWN if run.truth is None else int(run.truth[row])
    return Suspect(
        id=str(dataset.ids[row]),
        image=data_url(dataset.images, row, _SIDE),
        given=classes[dataset.labels[row]],
        votes=tuple(_votes_of(run, row)),
        reasons=reasons_of(dataset, row),
        truth=classes[true] if true >= 0 else _NONE_OF_THEM if true == NO_CLASS else "",
        outcome=_outcome(run, str(dataset.ids[row])),
    )


def _votes_of(run: Run, row: int) -> Iterator[DetectorVote]:
    classes = run.collected.classes
    for name, found in run.findings.items():
        suggested = -1 if found.suggested_labels is None else int(found.suggested_labels[row])
        yield DetectorVote(
            detector=name,
            suspicion=float(found.suspicion[row]) if found.covered[row] else None,
            flagged=bool(found.flagged[row]),
            suggestion=classes[suggested] if suggested >= 0 else "",
        )


def _outcome(run: Run, id_: str) -> str:
    for name, curation in run.curations.items():
        changes = curation.changes
        rows = np.flatnonzero(changes["id"].to_numpy(zero_copy_only=False) == id_)
        if len(rows):
            change = changes.slice(int(rows[0]), 1).to_pylist()[0]
            if change["action"] == "drop":
                return f"dropped by {name}: {change['reason']}"
            new = run.collected.classes[change["new_label"]]
            return f"relabelled {new} by {name}: {change['reason']}"
    return "kept" if run.curations else ""
