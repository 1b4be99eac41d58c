"""Predicted otherwise: a label that is not the most probable class is suspicious."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from adc_core import Dataset, Detector, Findings
from adc_core.arrays import chunks
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.confident.joint import checked
from adc_plugins_detect.confident.predictions import Predicted, labels_and_probabilities
from adc_plugins_detect.inputs import (
    as_ids,
    out_of_sample,
)


@array_function
def predicted_differs(
    labels: ArrayLike,
    probabilities: Predicted | Sequence[Predicted],
    *,
    ids: ArrayLike | None = None,
) -> Findings:
    """Flag labels that a model predicts otherwise: the baseline that every detector should beat.

    Suspicion is one minus the self-confidence, the probability of the given label (Northcutt,
    Jiang and Chuang, JAIR 2021, count this rule among their baselines). A given label that is as
    probable as the most probable class is not flagged.

    Args:
        labels: N given labels in 0…K-1.
        probabilities: N × K probabilities of any float type, from models that had not seen the
            sample's label; a memory map will do. Of several models, a list
            of them: the better ones count for more, as in `average_models`.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the predicted class as suggestion, its probability as confidence, and the
        share of flagged samples as noise rate.

    Raises:
        InputError: arrays of other shapes, labels out of range, rows that are not probabilities.
    """
    given, matrix = labels_and_probabilities(labels, probabilities)
    n, K = matrix.shape
    own, most, predicted = np.empty(n), np.empty(n), np.empty(n, np.int64)
    for part in chunks(n, 8 * K):
        block = checked(matrix[part], part.start)
        rows = np.arange(len(block))
        predicted[part] = block.argmax(axis=1)
        own[part], most[part] = block[rows, given[part]], block[rows, predicted[part]]
    differs = own < most
    return Findings(
        ids=as_ids(ids, n),
        suspicion=1 - own,
        flagged=differs,
        suggested_labels=np.where(differs, predicted, -1),
        suggestion_confidence=np.where(differs, most, np.nan),
        noise_rate=float(differs.mean()),
    )


class PredictedDiffers(Detector):
    """Flags labels that out-of-sample predictions contradict, however narrowly."""

    requires: ClassVar[tuple[str, ...]] = ("probabilities",)

    allow_in_sample: bool = Field(
        default=False, description="accept probabilities of a model that has seen the labels"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's probabilities.

        Raises:
            InputError: they are missing, or in sample without `allow_in_sample`.
        """
        return predicted_differs(
            dataset.labels, out_of_sample(dataset, self.allow_in_sample), ids=dataset.ids
        )
