"""What several detectors together say that labels should be."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Findings


class Suggestion(NamedTuple):
    """The label that most detectors suggest for each sample.

    Attributes:
        label: N int64, -1 where none suggests any.
        support: N int64, detectors that suggest it.
        confidence: N float64, mean confidence of these, NaN where none suggests any.
    """

    label: NDArray[np.int64]
    support: NDArray[np.int64]
    confidence: NDArray[np.float64]


def most_suggested(labels: NDArray[np.int64], findings: Sequence[Findings]) -> Suggestion:
    """Count the suggestions of the detectors that flag a sample.

    Of labels that equally many suggest, the more confident one wins, then the lower class. A
    detector that states no confidence counts as sure.

    Args:
        labels: N present labels; a suggestion to keep one is none.
        findings: of each detector, in the order of the samples.
    """
    suggested, confidence = [], []
    for found in findings:
        if found.suggested_labels is None:
            continue
        stated = found.suggestion_confidence
        valid = found.flagged & (found.suggested_labels != labels)
        suggested.append(np.where(valid, found.suggested_labels, -1))
        confidence.append(np.ones(len(labels)) if stated is None else np.nan_to_num(stated, nan=1))
    best = Suggestion(
        np.full(len(labels), -1), np.zeros(len(labels), np.int64), np.full(len(labels), np.nan)
    )
    for label in suggested:
        alike = [(other == label) & (label >= 0) for other in suggested]
        support = np.sum(alike, axis=0, dtype=np.int64)
        total = np.sum([a * c for a, c in zip(alike, confidence, strict=True)], axis=0)
        mean = total / np.maximum(support, 1)
        equal = (support == best.support) & (label >= 0)
        surer = mean > best.confidence
        lower = (mean == best.confidence) & (label < best.label)
        better = (support > best.support) | (equal & (surer | lower))
        best = Suggestion(
            np.where(better, label, best.label),
            np.where(better, support, best.support),
            np.where(better, mean, best.confidence),
        )
    return best
