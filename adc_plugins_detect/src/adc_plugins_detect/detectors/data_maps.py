"""Data maps: a label that the model doubts in every epoch is hard to learn, or wrong."""

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import Dataset, Detector, Dynamics, Findings
from adc_core.arrays import chunks
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.dynamics.curves import dynamics_of, mean_of_epochs, shares_of
from adc_plugins_detect.inputs import as_ids, as_labels, of_type
from adc_plugins_detect.options import Share
from adc_plugins_detect.scoring import FLAG_RATE, flag_top_fraction


class DataMap(NamedTuple):
    """Where each sample is on the map of a dataset.

    Attributes:
        confidence: N float64 in 0…1, mean probability of the given label over the epochs.
        variability: N float64 in 0…0.5, its standard deviation over the epochs.
        correctness: N float64 in 0…1, share of the epochs in which the label was predicted.
    """

    confidence: NDArray[np.float64]
    variability: NDArray[np.float64]
    correctness: NDArray[np.float64]


@array_function
def data_map(dynamics: Dynamics) -> DataMap:
    """Compute the coordinates of every sample (Swayamdipta et al., EMNLP 2020).

    Raises:
        InputError: a probability or prediction is outside 0…1.
    """
    of_type(dynamics, Dynamics, "dynamics", "a learner")
    given = np.empty(len(dynamics.loss))
    probability = shares_of(given, dynamics, "given_probability")
    variability = np.empty(len(given))
    for part in chunks(len(given), 8 * probability.shape[1]):
        variability[part] = probability[part].std(axis=1, dtype=np.float64)
    if (gaps := np.isnan(variability)).any():
        variability[gaps] = np.nanstd(probability[gaps].astype(np.float64), axis=1)
    return DataMap(
        confidence=mean_of_epochs(probability).clip(0, 1),
        variability=variability,
        correctness=mean_of_epochs(shares_of(given, dynamics, "correct")).clip(0, 1),
    )


@array_function
def data_maps(
    labels: ArrayLike,
    evidence: Dynamics | ArrayLike,
    *,
    flag_rate: Share = FLAG_RATE,
    ids: ArrayLike | None = None,
) -> Findings:
    """Rank labels by their mean probability over training (Swayamdipta et al., EMNLP 2020).

    Suspicion is one minus that mean, the confidence. The paper finds wrong labels among the
    samples of low confidence and gives no threshold, so a share is flagged. `data_map` answers
    all the coordinates of the map.

    Args:
        labels: N given labels.
        evidence: training dynamics, or their N × E probabilities of the given label, NaN in
            epochs in which a sample was not seen: the mean is over the others.
        flag_rate: share of the samples to flag, the least confident first; ties: the first wins.
        ids: N texts; by default the row numbers.

    Raises:
        InputError: arrays of other shapes, a probability outside 0…1, a rate that is no share.
    """
    given = as_labels(labels)
    confidence = mean_of_epochs(shares_of(given, evidence, "given_probability")).clip(0, 1)
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=1 - confidence,
        flagged=flag_top_fraction(-confidence, flag_rate),
    )


class DataMaps(Detector):
    """Ranks labels by how little the model believed them over all of its training."""

    requires: ClassVar[tuple[str, ...]] = ("dynamics",)

    flag_rate: Share = Field(default=FLAG_RATE, description="share of the samples to flag")

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's dynamics."""
        return data_maps(
            dataset.labels, dynamics_of(dataset), flag_rate=self.flag_rate, ids=dataset.ids
        )
