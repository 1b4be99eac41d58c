"""Estimates with their trust: a range, who says what, and how good the evidence is."""

from typing import Literal, Self

from pydantic import Field, model_validator

from adc_core.records.record import Record

Verdict = Literal["good", "fair", "poor"]
"""How well evidence separates wrong labels from right ones."""


class Estimate(Record):
    """A share that is known within a range.

    Attributes:
        low: lower end of the range, in 0 … 1.
        point: the most likely value.
        high: upper end of the range.
    """

    low: float = Field(ge=0, le=1)
    point: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low <= self.point <= self.high:
            raise ValueError(f"the range {self.low} … {self.high} does not hold {self.point}")
        return self

    def __str__(self) -> str:
        """Write it as people read it: `9.4 % (6.1 to 21 %)`."""
        low, point, high = (_percent(value) for value in (self.low, self.point, self.high))
        return f"{point} % ({low} to {high} %)"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.1f}"


class NoiseRate(Estimate):
    """The share of wrong labels, with each estimator's word.

    Attributes:
        estimators: name of an estimator to what it says; they rest on different assumptions, so
            how far they differ says how much is known.
        poor: the evidence is too poor for more than the range.
        warnings: what speaks against trusting the estimate, a sentence each.
    """

    estimators: dict[str, float] = Field(default_factory=dict)
    poor: bool = False
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write it as people read it; of poor evidence the range alone."""
        if self.poor:
            return f"somewhere in {_percent(self.low)} to {_percent(self.high)} %"
        return super().__str__()


class EvidenceQuality(Record):
    """How well the evidence of a dataset separates wrong labels from right ones.

    Attributes:
        accuracy: share of the given labels that out-of-sample predictions hit, or None.
        chance: the share that always predicting the most frequent class would hit.
        neighbor_agreement: share of the nearest neighbors that carry the sample's label, or None.
        separation: how surely a wrong label would look more suspicious than a right one: 1 always,
            0.5 as a coin would; or None without predictions.
        verdict: good, fair or poor.
        advice: what to do about it, a sentence.
    """

    accuracy: float | None = None
    chance: float
    neighbor_agreement: float | None = None
    separation: float | None = None
    verdict: Verdict
    advice: str
