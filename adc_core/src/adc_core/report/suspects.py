"""The most suspicious images, as small pictures with what is said of them."""

import base64
import io
from dataclasses import dataclass

import numpy as np

from adc_core.arrays import Array
from adc_core.run import Run

SHOWN = 30
_SIDE = 96


@dataclass(frozen=True)
class Suspect:
    """One image and what the run says of its label.

    Attributes:
        id: of the sample.
        picture: a data URL.
        given: the class that it was collected as.
        opinions: detector, its suspicion, and its suggestion or nothing.
        truth: the true class, or nothing.
        outcome: what the curators did.
    """

    id: str
    picture: str
    given: str
    opinions: tuple[tuple[str, float, str], ...]
    truth: str
    outcome: str


def most_suspicious(run: Run) -> list[Suspect]:
    """The images whose labels the detectors suspect most, on average of their ranks."""
    dataset = run.collected
    if not run.findings or dataset.images is None:
        return []
    ranks = [_rank(found.suspicion) for found in run.findings.values()]
    order = np.argsort(-np.mean(ranks, axis=0), kind="stable")
    flagged = np.any([found.flagged for found in run.findings.values()], axis=0)
    rows = order[flagged[order]][:SHOWN]
    return [_suspect(run, int(row)) for row in rows]


def _rank(suspicion: Array) -> Array:
    """Share of samples that are less suspect, so that detectors' scales do not matter."""
    known = np.nan_to_num(suspicion, nan=-1.0)
    return np.searchsorted(np.sort(known), known, side="left") / len(known)


def _suspect(run: Run, row: int) -> Suspect:
    dataset = run.collected
    assert dataset.images is not None
    classes = dataset.classes
    opinions = []
    for name, found in run.findings.items():
        suggested = -1 if found.suggested_labels is None else int(found.suggested_labels[row])
        suggestion = classes[suggested] if suggested >= 0 else ""
        opinions.append((name, float(found.suspicion[row]), suggestion))
    true = -1 if run.truth is None else int(run.truth[row])
    file = io.BytesIO()
    dataset.images.thumbnail(row, _SIDE).save(file, "JPEG", quality=85)
    return Suspect(
        id=str(dataset.ids[row]),
        picture="data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode(),
        given=classes[dataset.labels[row]],
        opinions=tuple(opinions),
        truth=classes[true] if true >= 0 else "",
        outcome=_outcome(run, str(dataset.ids[row])),
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
