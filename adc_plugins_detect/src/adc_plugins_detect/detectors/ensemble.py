"""Ensemble: several detectors judge together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field

from adc_core import Dataset, Detector, Findings, InputError
from adc_core.reporting import mean_rank
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.curation.suggestions import most_suggested
from adc_plugins_detect.inputs import as_labels, as_list, of_type, same_length
from adc_plugins_detect.options import Count


@array_function
def ensemble(
    labels: ArrayLike, evidence: Sequence[Findings], *, min_detectors: Count | None = None
) -> Findings:
    """Combine the findings of several detectors.

    Suspicion is the mean of the ranks that the detectors give a sample, as shares of the samples
    that each judged, so that their scales do not matter. A sample is flagged where enough of
    them flag it; the label that most of these suggest is suggested (so the ADC paper aggregates
    suggestions).

    Args:
        labels: N given labels.
        evidence: findings of each detector about the same samples.
        min_detectors: how many must flag a sample; by default more than half of all.

    Returns:
        Findings with suggestions, their mean confidence, and the share of flagged samples as
        noise rate.

    Raises:
        InputError: no findings, of different samples, or fewer than `min_detectors`.
    """
    given = as_labels(labels)
    evidence = as_list(evidence, "evidence", "Findings, one of each detector")
    if not evidence:
        raise InputError("an ensemble needs the findings of at least one detector: give some")
    for found in evidence:
        of_type(found, Findings, "evidence", "a detector")
        same_length(given, found.ids, "findings")
        if not np.array_equal(found.ids, evidence[0].ids):
            raise InputError("the findings are of different samples: align them with for_ids")
    needed = len(evidence) // 2 + 1 if min_detectors is None else min_detectors
    if needed > len(evidence):
        raise InputError(
            f"min_detectors is {needed} but there are findings of {len(evidence)}: "
            f"choose 1…{len(evidence)}"
        )
    flags = np.stack([found.flagged for found in evidence]).sum(axis=0)
    flagged = flags >= needed
    suspicion = mean_rank(evidence)
    covered = ~np.isnan(suspicion)
    best = most_suggested(given, evidence)
    return Findings(
        ids=evidence[0].ids,
        suspicion=suspicion,
        flagged=flagged,
        suggested_labels=best.label,
        suggestion_confidence=best.confidence,
        covered=covered,
        noise_rate=float(flagged[covered].mean()) if covered.any() else None,
    )


class Ensemble(Detector):
    """Flags labels that most of several detectors flag."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"detectors": [{"use": "simifeat"}, {"use": "confident-learning"}]}]
        }
    )

    detectors: tuple[Detector, ...] = Field(min_length=1, description="who judges")
    min_detectors: Count | None = Field(
        default=None, description="how many must flag a sample; by default more than half"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by all detectors."""
        findings = [one.detect(dataset) for one in self.detectors]
        return ensemble(dataset.labels, findings, min_detectors=self.min_detectors)
