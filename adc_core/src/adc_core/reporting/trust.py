"""Sentences about estimates: how good the evidence is, and their ranges."""

from collections.abc import Iterator, Mapping

import numpy as np

from adc_core.records.dataset import rows_of
from adc_core.records.estimates import EvidenceQuality, NoiseRate
from adc_core.records.findings import Findings
from adc_core.records.run import Run
from adc_core.storage.truth import UNKNOWN


def trust_lines(findings: Mapping[str, Findings]) -> Iterator[str]:
    """Tell, once for all detectors that read the same evidence, how far it can be trusted."""
    said: set[str] = set()
    for found in findings.values():
        for line in _of_one(found):
            if line not in said:
                said.add(line)
                yield line
    for name, found in findings.items():
        yield from (f"{name}: {note}" for note in found.notes)
    rates = [name for name, found in findings.items() if found.noise_rate is not None]
    if rates and not said:
        yield (
            f"the noise that {' and '.join(rates)} {'estimate' if len(rates) > 1 else 'estimates'} "
            "has no range: self-confidence, the detector where none is named, "
            "says how far the evidence can be trusted"
        )


def _of_one(found: Findings) -> Iterator[str]:
    if found.evidence is not None:
        yield from _evidence(found.evidence)
    if found.noise_range is not None:
        yield f"wrong labels: {_about(found.noise_range)}"
    if found.precision is not None:
        yield f"of the flagged labels, about {found.precision} are wrong"
    if found.noise_range is not None:
        yield from found.noise_range.warnings


def noise_text(found: Findings) -> str:
    """Write a detector's estimate of the noise rate, with its range where it has one."""
    if found.noise_range is not None:
        return str(found.noise_range)
    return "-" if found.noise_rate is None else f"{100 * found.noise_rate:.1f} %"


def headline(findings: Mapping[str, Findings]) -> str | None:
    """Write the share of wrong labels as one headline; None where nobody estimates it.

    Estimators that disagree are never averaged: the lowest and the highest are given.
    """
    for found in findings.values():
        if found.noise_range is not None:
            return str(found.noise_range)
    rates = [found.noise_rate for found in findings.values() if found.noise_rate is not None]
    if not rates:
        return None
    low, high = (f"{100 * rate:.1f}" for rate in (min(rates), max(rates)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def repair_lines(run: Run) -> Iterator[str]:
    """Yield what each curator did and expects, and what trusted labels say of it."""
    for name, curation in run.curations.items():
        what = curation.counts_text() if len(curation.changes) else "nothing is changed"
        yield f"{name}: {what}"
        yield from (f"  {note}" for note in curation.notes)
    if run.curations:
        yield from _by_truth(run)
        yield from _by_test(run)


def _by_truth(run: Run) -> Iterator[str]:
    """Compare the labels before and after with the true ones, where these are known."""
    if run.truth is None:
        return
    rows = rows_of(run.collected.ids, run.curated.ids)
    before, after = run.truth != UNKNOWN, (run.truth[rows] != UNKNOWN) & run.curated.labeled
    if not after.any():
        return
    was = float((run.collected.labels[before] != run.truth[before]).mean())
    now = float((run.curated.labels[after] != run.truth[rows][after]).mean())
    worse = ": the repair made the labels worse, so do not use it" if now > was else ""
    yield f"by the truth, wrong labels went from {100 * was:.1f} to {100 * now:.1f} %{worse}"


def _by_test(run: Run) -> Iterator[str]:
    """Compare the accuracy of each learner on raw and curated labels, image by image."""
    if run.test is None:
        return
    right = {
        (training.learner, training.trained_on): training.predictions.labels == run.test.labels
        for training in run.trainings
        if training.predictions is not None
    }
    for (learner, labels), raw in right.items():
        curated = right.get((learner, "curated"))
        if labels != "raw" or curated is None:
            continue
        gain = curated.astype(int) - raw.astype(int)
        error = float(gain.std() / np.sqrt(len(gain)))
        verdict = "no difference beyond chance"
        if abs(gain.mean()) > 2 * error:
            better = "the repaired labels are better"
            worse = "the repaired labels are worse: do not use them"
            verdict = better if gain.mean() > 0 else worse
        yield (
            f"{learner} on the test set: raw {100 * raw.mean():.1f} %, curated "
            f"{100 * curated.mean():.1f} % (± {100 * error:.1f}): {verdict}"
        )


def _about(rate: NoiseRate) -> str:
    return str(rate) if rate.poor else f"about {rate}"


def _evidence(quality: EvidenceQuality) -> Iterator[str]:
    parts = []
    if quality.accuracy is not None:
        parts.append(
            f"unseen labels are predicted {quality.accuracy:.0%} right "
            f"(the commonest class: {quality.chance:.0%})"
        )
    if quality.neighbor_agreement is not None:
        parts.append(f"{quality.neighbor_agreement:.0%} of the nearest neighbors agree")
    yield f"evidence: {quality.verdict}: {', '.join(parts)}"
    yield f"  {quality.advice}"
