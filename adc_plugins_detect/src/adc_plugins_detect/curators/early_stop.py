"""The early-stop filter: what a network doubts most after an epoch or two is left out."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from adc_core import Curation, Curator, Dataset, Findings, Learner
from adc_plugins_detect.detectors.early_stop_ce import EarlyStopCe
from adc_plugins_detect.options import WholeNumber


class EarlyStop(Curator):
    """Drops the samples whose labels a network doubts most after an epoch or two.

    It is the filter of the ADC paper's Algorithm 3: the share `flag_rate` of the samples is
    dropped that `early-stop-ce` finds most suspicious, whatever other detectors say of them.
    """

    requires: ClassVar[tuple[str, ...]] = ("dynamics",)

    flag_rate: float = Field(default=0.25, ge=0, lt=1, description="share of the samples to drop")
    epoch: WholeNumber | Literal["onset"] = Field(
        default=2,
        description="the epoch of the dynamics to judge by, 1 or 2; onset: when the first class "
        "begins to be memorised",
    )
    learner: Learner | None = Field(
        default=None, description="trains for an epoch or two, instead of reading dynamics"
    )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """What the detector needs."""
        return self._detector.required_columns

    @property
    def _detector(self) -> EarlyStopCe:
        return EarlyStopCe(flag_rate=self.flag_rate, epoch=self.epoch, learner=self.learner)

    def curate(self, dataset: Dataset, findings: Sequence[Findings]) -> Curation:
        """Leave out the least confident share of the samples.

        Raises:
            InputError: the epoch was not recorded, or the dataset does not suit the learner.
        """
        found = self._detector.detect(dataset)
        rows = np.flatnonzero(found.flagged)
        when = (
            "at the onset of memorization" if self.epoch == "onset" else f"after epoch {self.epoch}"
        )
        if self.learner is not None:
            when = "after a short training"
        reasons = np.char.mod(f"probability %.3f of its label {when}", 1 - found.suspicion[rows])
        return Curation.of(dataset, drop=rows, reasons=reasons)
