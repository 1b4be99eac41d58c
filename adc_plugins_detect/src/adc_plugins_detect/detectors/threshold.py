"""Thresholds: which samples to flag, chosen apart from how suspicious each is."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field, model_validator

from adc_core import Dataset, Detector, Findings, InputError
from adc_core.errors import unknown_name
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_array, as_labels, of_type, same_length
from adc_plugins_detect.options import Share
from adc_plugins_detect.scoring import flag_top_fraction


@array_function
def by_rate(findings: Findings, flag_rate: Share) -> Findings:
    """Flag a share of the judged samples instead, the most suspicious; ties: the first wins.

    So detectors are compared at an equal budget.

    Raises:
        InputError: `flag_rate` is not a share.
    """
    of_type(findings, Findings, "findings", "a detector")
    flagged = np.zeros(len(findings.ids), np.bool_)
    flagged[findings.covered] = flag_top_fraction(findings.suspicion[findings.covered], flag_rate)
    return findings.replace(flagged=flagged)


@array_function
def by_class_rate(findings: Findings, labels: ArrayLike, rates: ArrayLike) -> Findings:
    """Flag a share of the judged samples of each given label instead.

    Args:
        findings: whose suspicion counts.
        labels: N given labels.
        rates: K shares.

    Raises:
        InputError: another number of labels, or a rate that is no share.
    """
    of_type(findings, Findings, "findings", "a detector")
    shares = _shares(rates)
    given = as_labels(labels, len(shares))
    same_length(given, findings.ids, "findings")
    flagged = np.zeros(len(given), np.bool_)
    for label, rate in enumerate(shares):
        rows = np.flatnonzero(findings.covered & (given == label))
        flagged[rows] = flag_top_fraction(findings.suspicion[rows], float(rate))
    return findings.replace(flagged=flagged)


@array_function
def at_value(findings: Findings, value: Share) -> Findings:
    """Flag every sample that is at least so suspicious instead."""
    of_type(findings, Findings, "findings", "a detector")
    suspicion = np.nan_to_num(findings.suspicion, nan=-1.0)
    return findings.replace(flagged=findings.covered & (suspicion >= value))


def _shares(rates: ArrayLike) -> NDArray[np.float64]:
    """Convert to K shares.

    Raises:
        InputError: they are none.
    """
    shares = as_array(rates, "rates")
    if shares.ndim != 1 or shares.dtype.kind not in "fiub":
        raise InputError(
            f"rates: expected a share of each class, got {shares.dtype} {shares.shape}"
        )
    return shares.astype(np.float64)


class Threshold(Detector):
    """Flags the most suspicious samples of another detector: a share, or beyond a value.

    Evidence of rare classes is weak, and right labels of theirs look suspicious beside those of
    large ones. With `within_classes` a sample is compared with those of its label alone.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"detector": {"use": "aum"}, "flag_rate": 0.1}]}
    )

    renamed_options: ClassVar[Mapping[str, str]] = {"rate": "flag_rate"}

    detector: Detector = Field(description="whose suspicion counts")
    flag_rate: Share | None = Field(default=None, description="share of the samples to flag")
    class_rates: dict[str, float] | None = Field(
        default=None, description="share of the samples of each class to flag; others 0"
    )
    value: Share | None = Field(default=None, description="flag from this suspicion on")
    within_classes: bool = Field(
        default=False,
        description="flag the same share of each label's samples: flag_rate, or as many in all as "
        "the detector flags",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.within_classes:
            if self.class_rates is not None or self.value is not None:
                raise ValueError("within_classes goes with flag_rate, or alone: leave out the rest")
            return self
        given = [x for x in (self.flag_rate, self.class_rates, self.value) if x is not None]
        if len(given) != 1:
            raise ValueError("give one of flag_rate, class_rates and value, or within_classes")
        return self

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the detector, and flag by the threshold.

        Raises:
            InputError: a rate is of an unknown class, or no share.
        """
        findings = self.detector.detect(dataset)
        if self.within_classes:
            share = self.flag_rate
            if share is None:
                share = float(findings.flagged.sum() / max(1, findings.covered.sum()))
            rates = np.full(len(dataset.classes), share)
            return by_class_rate(findings, dataset.labels, rates)
        if self.flag_rate is not None:
            return by_rate(findings, self.flag_rate)
        if self.value is not None:
            return at_value(findings, self.value)
        return by_class_rate(findings, dataset.labels, _rates(self.class_rates or {}, dataset))


def _rates(by_name: Mapping[str, float], dataset: Dataset) -> list[float]:
    for name in by_name:
        if name not in dataset.classes:
            raise InputError(f"class_rates: {unknown_name('class', name, dataset.classes)}")
    return [by_name.get(name, 0.0) for name in dataset.classes]
