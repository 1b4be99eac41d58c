"""Early stopping: a label that a network doubts after an epoch or two is suspicious."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from adc_core.arrays import Array
from adc_core.dataset import Dataset
from adc_core.evidence import Dynamics
from adc_core.findings import Findings
from adc_core.interfaces import Detector
from adc_plugins_detect.detectors.curves import dynamics_of, place_of, shares_of
from adc_plugins_detect.detectors.flagging import flag_share
from adc_plugins_detect.inputs import as_labels, row_ids


def early_stop_ce(
    labels: ArrayLike,
    evidence: Dynamics | ArrayLike,
    *,
    epoch: int = 2,
    flag_rate: float = 0.25,
    ids: Array | None = None,
) -> Findings:
    """Flag the labels that a network doubts most early in training (ADC paper, Algorithm 3).

    After one or two epochs of cross-entropy a network has learned mostly from right labels.
    Suspicion is one minus its probability of the given label then. The paper's text removes the
    least confident share, and so does this; its listing, taken literally, would remove the rest.
    It measures after the epoch and without augmentation, where dynamics that a training notes in
    its own steps are a little behind.

    Args:
        labels: N given labels.
        evidence: training dynamics, or their N × E probabilities of the given label.
        epoch: judge by this epoch, 1 or 2; those of a bare matrix are 1, 2, …. Later a network
            has memorised wrong labels.
        flag_rate: share of the samples to flag, the least confident first, of equals the first.
        ids: N texts; by default the row numbers.

    Raises:
        InputError: arrays of other shapes, a probability outside 0…1, an epoch that was not
            recorded, a rate that is no share.
    """
    given = as_labels(labels)
    curves = shares_of(given, evidence, "given_probability")
    confidence = curves[:, place_of(epoch, evidence, curves)].astype(np.float64).clip(0, 1)
    return Findings(
        ids=row_ids(len(given)) if ids is None else ids,
        suspicion=1 - confidence,
        flagged=flag_share(-confidence, flag_rate),
    )


class EarlyStopCe(Detector):
    """Flags the labels that a network doubts most after an epoch or two."""

    reads: ClassVar[tuple[str, ...]] = ("dynamics",)

    epoch: int = Field(2, ge=0, description="the epoch to judge by, 1 or 2; later ones memorise")
    flag_rate: float = Field(0.25, ge=0, le=1, description="share of the samples to flag")

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's dynamics."""
        return early_stop_ce(
            dataset.labels,
            dynamics_of(dataset),
            epoch=self.epoch,
            flag_rate=self.flag_rate,
            ids=dataset.ids,
        )
