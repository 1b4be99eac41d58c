"""Self-confidence: the least probable labels, as many as are estimated to be wrong."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import Dataset, Detector, Estimate, Findings, Neighbors, NoiseRate
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.confident.predictions import Predicted, labels_and_probabilities
from adc_plugins_detect.inputs import (
    as_ids,
    of_type,
    out_of_sample,
    same_length,
)
from adc_plugins_detect.noise.counterfactual import Counterfactual
from adc_plugins_detect.noise.quality import evidence_quality
from adc_plugins_detect.noise.rate import noise_rate_of
from adc_plugins_detect.scoring import FLAG_RATE, highest

_UNEQUAL = 0.45
"""Standard deviation of the log rates of the classes from which on they differ much. Labels that
people gave to CIFAR-10 stay below 0.37; one class that swallows others reaches 0.5 to 0.8."""

_PRIOR = 10
"""Samples by which a class's rate is drawn to that of all."""


@array_function
def self_confidence(
    labels: ArrayLike,
    probabilities: Predicted | Sequence[Predicted],
    *,
    neighbors: Neighbors | None = None,
    classes: Sequence[str] = (),
    ids: ArrayLike | None = None,
) -> Findings:
    """Flag the labels that out-of-sample predictions find least probable.

    Suspicion is one minus the self-confidence, the probability of the given label (Northcutt,
    Jiang and Chuang, JAIR 2021). As many labels are flagged, the worst first, as the noise rate
    says are wrong (`noise_rate`; of poor evidence at most a tenth), and none that is predicted.
    Where the classes differ much in their rates, the odds of a label's suspicion are multiplied by
    those of its class.

    Args:
        labels: N given labels in 0…K-1.
        probabilities: N × K probabilities of any float type, from models that had not seen the
            sample's label. Of several models, a list
            of them: the better ones count for more, as in `average_models`.
        neighbors: k-NN graph, whose agreement with the labels is reported too.
        classes: K names in the order of their numbers, for warnings, and for labels that are names;
            by default these sorted.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the predicted class as suggestion, its probability as confidence, the noise
        rate as a range, the precision of the flags as a range, and how good the evidence is.

    Raises:
        InputError: arrays of other shapes, labels out of range, rows that are not probabilities.
    """
    given, matrix = labels_and_probabilities(labels, probabilities)
    if neighbors is not None:
        graph = of_type(neighbors, Neighbors, "neighbors", "nearest_neighbors(features, k)")
        same_length(given, graph.indices, "neighbors")
    expected = Counterfactual(given, matrix)
    rate = noise_rate_of(given, matrix, expected, classes=classes)
    quality = evidence_quality(given, expected, neighbors)
    n = len(given)
    predicted, most = matrix.argmax(axis=1), matrix.max(axis=1).astype(np.float64)
    differs = predicted != given
    # Poor evidence knows no rate: the worst tenth is there to be looked at.
    count = round((min(rate.point, FLAG_RATE) if rate.poor else rate.point) * n)
    suspicion = _by_class(expected.suspicion, given, count)
    flagged = highest(np.where(differs, suspicion, -1), count) & differs
    return Findings(
        ids=as_ids(ids, n),
        suspicion=suspicion,
        flagged=flagged,
        suggested_labels=np.where(differs, predicted, -1),
        suggestion_confidence=np.where(differs, most.clip(0, 1), np.nan),
        noise_rate=rate.point,
        noise_range=rate,
        precision=_precision(expected, rate, int(flagged.sum()), n),
        evidence=quality,
    )


def _by_class(
    suspicion: NDArray[np.float64], labels: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Weigh suspicion by the odds of the class, where classes differ much."""
    n, counts = len(labels), np.bincount(labels)
    overall = count / n
    if not 0 < overall < 1:
        return suspicion
    flagged = np.bincount(labels[highest(suspicion, count)], minlength=len(counts))
    rates = (flagged + _PRIOR * overall) / (counts + _PRIOR)
    present = counts > 0
    if np.log(rates[present]).std() < _UNEQUAL:
        return suspicion
    ratio = (rates * (1 - overall) / (overall * (1 - rates)))[labels]
    weighted = suspicion * ratio
    adjusted: NDArray[np.float64] = weighted / (weighted + 1 - suspicion).clip(min=1e-300)
    return adjusted.clip(0, 1)


def _precision(expected: Counterfactual, rate: NoiseRate, flagged: int, n: int) -> Estimate | None:
    """Estimate the share of the flagged labels that are wrong.

    As many wrong labels are flagged as are at least as suspicious as the last flagged one. How
    many that are, expected wrong labels of the three kinds show.
    """
    if not flagged:
        return None
    share = flagged / n
    cut = expected.worst(share)
    easy, middle, hard = (
        expected.curve(flips).reaching(cut) for flips in ("uniform", "class-pair", "confusable")
    )
    low = min(rate.low * easy / share, rate.point * hard / share, 1.0)
    point = min(rate.point * middle / share, 1.0)
    high = min(rate.high * easy / share, 1.0)
    point = max(point, low)
    return Estimate(low=low, point=point, high=max(high, point))


class SelfConfidence(Detector):
    """Flags the least probable labels, as many as are estimated to be wrong."""

    requires: ClassVar[tuple[str, ...]] = ("probabilities",)
    optional_columns: ClassVar[tuple[str, ...]] = ("neighbors",)

    allow_in_sample: bool = Field(
        default=False, description="accept probabilities of a model that has seen the labels"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's probabilities.

        Raises:
            InputError: they are missing, or in sample without `allow_in_sample`.
        """
        return self_confidence(
            dataset.labels,
            out_of_sample(dataset, self.allow_in_sample),
            neighbors=dataset.neighbors,
            classes=dataset.classes,
            ids=dataset.ids,
        )
