"""What is said of estimates: how good the evidence is, and within which range they lie."""

from collections.abc import Iterator, Mapping

from adc_core.estimates import EvidenceQuality
from adc_core.findings import Findings


def trust_lines(findings: Mapping[str, Findings]) -> Iterator[str]:
    """Tell, once for all detectors that read the same evidence, how far it can be trusted."""
    told: set[str] = set()
    for found in findings.values():
        lines = [
            *([] if found.evidence is None else _evidence(found.evidence)),
            *([] if found.noise_range is None else [f"wrong labels: about {found.noise_range}"]),
            *([] if found.precision is None else [f"of the flagged, about {found.precision} are"]),
            *(() if found.noise_range is None else found.noise_range.warnings),
        ]
        for line in lines:
            if line not in told:
                told.add(line)
                yield line


def noise_told(found: Findings) -> str:
    """Write a detector's estimate of the noise rate, with its range where it has one."""
    if found.noise_range is not None:
        return str(found.noise_range)
    return "-" if found.noise_rate is None else f"{100 * found.noise_rate:.1f} %"


def headline(findings: Mapping[str, Findings]) -> str | None:
    """Write the share of wrong labels as one headline; None where nobody estimates it.

    Estimators that disagree are never averaged: their lowest and highest word is told.
    """
    for found in findings.values():
        if found.noise_range is not None:
            return str(found.noise_range)
    rates = [found.noise_rate for found in findings.values() if found.noise_rate is not None]
    if not rates:
        return None
    low, high = (f"{100 * rate:.1f}" for rate in (min(rates), max(rates)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def _evidence(quality: EvidenceQuality) -> Iterator[str]:
    parts = []
    if quality.accuracy is not None:
        parts.append(
            f"unseen labels are predicted {quality.accuracy:.0%} right "
            f"(the commonest class: {quality.chance:.0%})"
        )
    if quality.neighbor_agreement is not None:
        parts.append(f"{quality.neighbor_agreement:.0%} of the nearest neighbours agree")
    yield f"evidence: {quality.verdict}: {', '.join(parts)}"
    yield f"  {quality.advice}"
