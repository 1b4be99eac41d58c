"""What several detectors say together: one order of suspicion, one line per detector."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from adc_core.arrays.validation import Array
from adc_core.records.findings import Findings


@dataclass(frozen=True)
class DetectorSummary:
    """What one detector says of a dataset.

    Attributes:
        detector: its name in the pipeline.
        flagged: how many labels it judges wrong.
        share: of the samples that it judged.
        noise_rate: the share of wrong labels that it estimates, or None.
        suggested: how many flagged samples it has another label for.
    """

    detector: str
    flagged: int
    share: float
    noise_rate: float | None
    suggested: int


def summarize_detectors(findings: Mapping[str, Findings]) -> list[DetectorSummary]:
    """Sum up the findings of each detector."""
    return [
        DetectorSummary(
            detector=name,
            flagged=int(found.flagged.sum()),
            share=float(found.flagged.sum() / max(1, found.covered.sum())),
            noise_rate=found.noise_rate,
            suggested=0
            if found.suggested_labels is None
            else int((found.suggested_labels[found.flagged] >= 0).sum()),
        )
        for name, found in findings.items()
    ]


def flagged_by_any(findings: Collection[Findings]) -> Array:
    """Return N booleans: whether any detector judges the label wrong."""
    flagged: Array = np.any([found.flagged for found in findings], axis=0)
    return flagged


def most_suspicious_first(findings: Collection[Findings]) -> Array:
    """Return N row numbers: flagged samples first, then by how suspect they are.

    Detectors' scales do not matter: a sample's place is the share of the samples that are less
    suspect, on average over the detectors that judged it. Ties: the first row comes first.
    """
    place = np.nan_to_num(mean_rank(findings))
    order: Array = np.lexsort((-place, ~flagged_by_any(findings)))
    return order


def mean_rank(findings: Collection[Findings]) -> Array:
    """Return N shares of less suspect samples, on average over the detectors that judged.

    Equally suspect samples share their places. NaN where no detector judged.
    """
    places = np.stack([_place(found) for found in findings])
    judged = (~np.isnan(places)).sum(axis=0)
    mean: Array = np.where(judged, np.nansum(places, axis=0) / np.maximum(1, judged), np.nan)
    return mean


def _place(found: Findings) -> Array:
    known = found.suspicion[found.covered]
    order = np.sort(known)
    below, above = (np.searchsorted(order, known, side=side) for side in ("left", "right"))
    place = np.full(len(found.suspicion), np.nan)
    place[found.covered] = (below + above) / (2 * max(1, len(known)))
    return place


def suggestions(found: Findings, classes: tuple[str, ...]) -> pa.Array:
    """Return N class names, null where the detector suggests none."""
    wanted = found.suggested_labels
    if wanted is None:
        return pa.nulls(len(found.ids), pa.string())
    return pa.array(classes, pa.string()).take(pa.array(wanted, mask=wanted < 0))


def suggested_by_most(findings: Collection[Findings], classes: tuple[str, ...]) -> pa.Array:
    """Return N class names that most detectors suggest, or null; ties: the first wins.

    A detector that flags the sample counts before all that do not.
    """
    n = len(next(iter(findings)).ids)
    best, votes = np.full(n, -1), np.zeros(n)
    for found in findings:
        wanted = found.suggested_labels
        if wanted is None:
            continue
        # Every sample's suggestion of this detector, and how many make the same one.
        count = np.zeros(n)
        for other in findings:
            if other.suggested_labels is not None:
                count += (other.suggested_labels == wanted) * (1 + len(findings) * other.flagged)
        better = (wanted >= 0) & (count > votes)
        best, votes = np.where(better, wanted, best), np.where(better, count, votes)
    return pa.array(classes, pa.string()).take(pa.array(best, mask=best < 0))
