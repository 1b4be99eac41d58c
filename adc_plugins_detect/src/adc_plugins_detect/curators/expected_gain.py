"""Expected gain: change only what is surely wrong, and nothing where the evidence is poor."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from adc_core import Curation, Curator, Dataset, EvidenceQuality, Findings, NoiseRate
from adc_core.records import Verdict
from adc_plugins_detect.curation.flag_counts import count_flags, sentence
from adc_plugins_detect.inputs import out_of_sample
from adc_plugins_detect.noise.counterfactual import Counterfactual
from adc_plugins_detect.noise.posterior import best_other_label, wrong_probability
from adc_plugins_detect.noise.quality import evidence_quality
from adc_plugins_detect.noise.rate import noise_rate_of

_LIKELY: dict[Verdict, float] = {"good": 0.5, "fair": 0.8, "poor": 1.0}
"""From which probability the other label is given. With good evidence 98 in 100 such labels are
right, for the probabilities are cautious there; with fair evidence some 7 in 10."""

_SURE: dict[Verdict, float] = {"good": 0.5, "fair": 0.9, "poor": 1.0}
"""From which probability of being wrong a sample without a likely label is dropped. Wrong labels
that are left are where classes are hard to separate, and cost more there than as many by chance
(`benchmarks/repair.py`); with fair evidence, too many right ones would go."""

_EXCLUDED = 0.005
"""If so few labels may be wrong, it cannot be excluded that all are right."""


class ExpectedGain(Curator):
    """Relabels what is surely another class, drops what is surely wrong, keeps all else.

    How likely a label is wrong is estimated from out-of-sample probabilities by the noise rate and
    by how suspicious wrong labels are expected to be (`self-confidence`). A label that at least one
    detector flags is changed where that is likely enough: given the other label where that is
    likely to be right, else dropped. Nothing is changed where the evidence is not good enough, or
    where it cannot be excluded that all labels are right. What is expected is in the curation's
    notes.
    """

    requires: ClassVar[tuple[str, ...]] = ("probabilities",)

    evidence: Literal["good", "fair"] = Field(
        default="good",
        description="the least evidence on which anything is changed; of the samples that fair "
        "evidence drops, one in five to one in two is right",
    )
    relabel_from: float | None = Field(
        default=None,
        ge=0.5,
        le=1,
        description="probability of the other label from which it is given; by default 0.5 where "
        "the evidence is good, 0.8 where it is fair",
    )
    drop_from: float | None = Field(
        default=None,
        ge=0.5,
        le=1,
        description="probability of being wrong from which a sample without a likely label is "
        "dropped; by default 0.5 where the evidence is good, 0.9 where it is fair",
    )

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Relabel, drop or keep what is flagged.

        Raises:
            InputError: the dataset has no out-of-sample probabilities.
        """
        values, labels = out_of_sample(dataset, False), dataset.labels
        expected = Counterfactual(labels, values)
        rate = noise_rate_of(labels, values, expected, classes=dataset.classes)
        quality = evidence_quality(labels, expected)
        if (abstained := self._abstains(quality, rate)) is not None:
            return Curation.of(dataset, notes=(abstained,))
        wrong = wrong_probability(expected, rate.point)
        other, share = best_other_label(labels, values)
        relabel_from = self.relabel_from or _LIKELY[quality.verdict]
        drop_from = self.drop_from or _SURE[quality.verdict]
        change = (wrong * share >= relabel_from) | (wrong >= drop_from)
        change &= values.argmax(axis=1) != labels
        if findings:
            change &= count_flags(dataset, findings, 1).flagged > 0
        rows = np.flatnonzero(change)
        wrong, right = wrong[rows], wrong[rows] * share[rows]
        relabel = right >= relabel_from
        new = np.where(relabel, other[rows], -1)
        names = pa.array(dataset.classes).take(pa.array(new.clip(min=0)))
        # Of no rows at all, NumPy 1 makes an array of numbers.
        reasons = np.char.mod("wrong with probability %.2f", wrong).astype(np.str_)
        as_other = sentence(np.char.add(reasons, ";"), names, np.char.mod("with %.2f", right))
        return Curation.of(
            dataset,
            drop=rows[~relabel],
            relabel=rows[relabel],
            labels=new[relabel],
            reasons=pc.if_else(pa.array(relabel), as_other, pa.array(reasons.tolist())),
            notes=(_expectation(len(dataset), rate, wrong, right, relabel),),
        )

    def _abstains(self, quality: EvidenceQuality, rate: NoiseRate) -> str | None:
        if quality.verdict == "poor":
            return f"nothing is changed, for the evidence is poor: {quality.advice}"
        if quality.verdict == "fair" and self.evidence == "good":
            return (
                f"nothing is changed, for the evidence is only fair: {quality.advice}; "
                "evidence: fair acts all the same"
            )
        if rate.low < _EXCLUDED:
            return (
                f"nothing is changed: {rate} of the labels look wrong, by {quality.verdict} "
                "evidence, but it cannot be excluded that all are right: look at the most "
                "suspicious ones"
            )
        return None


def _expectation(
    n: int,
    rate: NoiseRate,
    wrong: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    right: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    relabel: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> str:
    """Say what becomes of the noise and of the size, as far as the estimates are right."""
    dropped = int((~relabel).sum())
    left = rate.point * n - wrong.sum() + (1 - right)[relabel].sum()
    after = max(0.0, float(left)) / max(1, n - dropped)
    return (
        f"expected: {int(relabel.sum()):,} relabelled, {dropped:,} dropped, {n - dropped:,} left; "
        f"wrong labels from {100 * rate.point:.1f} to {100 * after:.1f} % (before: {rate})"
    )
