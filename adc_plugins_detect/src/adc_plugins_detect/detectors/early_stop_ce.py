"""Early stopping: a label that a network doubts after an epoch or two is suspicious."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from adc_core import Dataset, Detector, Dynamics, Findings, InputError, Learner, Probabilities
from adc_core.arrays import Array
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.dynamics.curves import dynamics_of, epoch_index, shares_of
from adc_plugins_detect.dynamics.onset import first_onset
from adc_plugins_detect.inputs import as_ids, as_labels, needed, same_length
from adc_plugins_detect.options import Share, WholeNumber
from adc_plugins_detect.scoring import flag_top_fraction

ConfidenceIn = Literal["given", "max"]

USUAL_EPOCH = 2
"""By default, and where no onset can be found."""


@array_function
def early_stop_ce(
    labels: ArrayLike,
    evidence: Dynamics | Probabilities | ArrayLike,
    *,
    epoch: WholeNumber | Literal["onset"] = USUAL_EPOCH,
    confidence_in: ConfidenceIn = "given",
    flag_rate: Share = 0.25,
    ids: ArrayLike | None = None,
) -> Findings:
    """Flag the labels that a network doubts most early in training (ADC paper, Algorithm 3).

    After one or two epochs of cross-entropy a network has learned mostly from right labels.
    Suspicion is one minus its probability of the given label then. The paper's text removes the
    least confident share, and so does this; its listing, taken literally, would remove the rest.
    It measures after the epoch and without augmentation, where dynamics that a training notes in
    its own steps are a little behind: predictions of a model that was stopped then are exact.

    Args:
        labels: N given labels.
        evidence: the stopped model's `Probabilities`, training dynamics, or N × E probabilities
            of the given label.
        epoch: judge by this epoch, 1 or 2; those of a bare matrix are 1, 2, …. Later a network
            has memorised wrong labels. `onset` takes the first `memorization_onset` of the classes,
            and epoch 2, with a warning, where that is not to be found; it needs `Dynamics`.
        confidence_in: the given label, or the most probable one, which needs `Probabilities`. The
            paper does not say which; the latter finds ambiguous samples, and lets a label pass
            that is surely contradicted.
        flag_rate: share of the samples to flag, the least confident first; ties: the first wins.
        ids: N texts; by default the row numbers.

    Raises:
        InputError: arrays of other shapes, a probability outside 0…1, an epoch that was not
            recorded, a rate that is no share, the most probable label where only the given one
            is known.
    """
    given = as_labels(labels)
    if isinstance(evidence, Probabilities):
        confidence = _confidence(given, evidence.values, confidence_in)
    elif confidence_in == "given":
        curves = shares_of(given, evidence, "given_probability")
        if epoch == "onset":
            if not isinstance(evidence, Dynamics):
                raise InputError("an onset takes dynamics, not a bare matrix: give the epoch")
            epoch = first_onset(given, evidence) or USUAL_EPOCH
        confidence = curves[:, epoch_index(epoch, evidence, curves)]
        if (unseen := np.isnan(confidence)).any():
            raise InputError(
                f"given_probability: row {int(unseen.argmax())} was not seen in epoch {epoch}: "
                "judge by another, or leave it out"
            )
    else:
        raise InputError(
            "dynamics know the probability of the given label alone: give Probabilities, or set "
            "confidence_in to given"
        )
    confidence = confidence.astype(np.float64).clip(0, 1)
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=1 - confidence,
        flagged=flag_top_fraction(-confidence, flag_rate),
    )


class EarlyStopCe(Detector):
    """Flags the labels that a network doubts most after an epoch or two.

    Without a learner it reads `dynamics`. With one it trains it, for one or two epochs as the
    learner's own options say, and judges by the predictions of the model.
    """

    requires: ClassVar[tuple[str, ...]] = ("dynamics",)

    epoch: WholeNumber | Literal["onset"] = Field(
        default=USUAL_EPOCH,
        description="the epoch of the dynamics to judge by, 1 or 2; later ones memorise; onset: "
        "when the first class begins to be memorised",
    )
    flag_rate: Share = Field(default=0.25, description="share of the samples to flag")
    learner: Learner | None = Field(
        default=None, description="trains for an epoch or two, instead of reading dynamics"
    )
    confidence_in: ConfidenceIn = Field(
        default="given",
        description="the given label, or (max, with a learner) the most probable one",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.confidence_in == "max" and self.learner is None:
            raise ValueError(
                "confidence_in: max needs a learner: dynamics know the given label alone"
            )
        return self

    @property
    def required_columns(self) -> tuple[str, ...]:
        """What the learner needs and the images to predict, or dynamics without one."""
        if self.learner is None:
            return self.requires
        return tuple(dict.fromkeys((*self.learner.required_columns, "images")))

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's dynamics, or by a training of its own."""
        return early_stop_ce(
            dataset.labels,
            dynamics_of(dataset) if self.learner is None else _predicted(self.learner, dataset),
            epoch=self.epoch,
            confidence_in=self.confidence_in,
            flag_rate=self.flag_rate,
            ids=dataset.ids,
        )


def _predicted(learner: Learner, dataset: Dataset) -> Probabilities:
    images = needed(dataset.images, "images", "a collector or a folder of images")
    predictions = learner.learn(dataset).predict(images)
    return Probabilities(values=predictions.probabilities, origin="in sample")


def _confidence(given: Array, values: Array, confidence_in: ConfidenceIn) -> Array:
    same_length(given, values, "probabilities")
    as_labels(given, values.shape[1])
    if confidence_in == "max":
        return np.asarray(values.max(axis=1))
    return np.asarray(values[np.arange(len(given)), given])
