"""CORES: a label whose loss exceeds the average loss over all labels is sieved out."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from adc_core import Dataset, Detector, Findings, InputError, Probabilities
from adc_core.arrays import Array, chunks
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.confident.joint import checked
from adc_plugins_detect.inputs import (
    as_ids,
    as_labels,
    as_probabilities,
    as_rows,
    needed,
    same_length,
)
from adc_plugins_detect.scoring import squash

_LEAST_PROBABILITY = np.finfo(np.float64).tiny


@array_function
def cores(
    labels: ArrayLike,
    evidence: ArrayLike | Probabilities,
    *,
    kind: Literal["probabilities", "logits"] = "probabilities",
    ids: ArrayLike | None = None,
) -> Findings:
    """Find wrong labels with the sample sieve (Cheng et al., ICLR 2021).

    The score of a sample is the loss of its label less the mean loss over all labels, which is
    the mean logit less the logit of the label. Above zero it is flagged: its label is less
    probable than the geometric mean of all. A tie is clean. Suspicion is (1 + s / (1 + |s|)) / 2
    of the score s, so it orders samples as s does, and above 0.5 a sample is flagged.

    The paper sieves in epoch 40 of a network trained with a loss of its own, in sample. With
    other probabilities the score ranks well but the threshold is cautious: a wrong label that is
    the second most probable one often exceeds the geometric mean.

    Args:
        labels: N given labels in 0…K-1.
        evidence: N × K probabilities or logits, of any float type; a memory map will do.
        kind: which of the two.
        ids: N texts; by default the row numbers.

    Returns:
        Findings with the most probable class as suggestion for flagged samples, its probability
        as confidence, and the share of flagged samples as noise rate.

    Raises:
        InputError: arrays of other shapes, labels out of range, rows that are not probabilities.
    """
    logits = kind == "logits"
    matrix = _logits(evidence) if logits else as_probabilities(evidence, in_sample=True)
    given = as_labels(labels, matrix.shape[1])
    same_length(given, matrix, kind)
    n, K = matrix.shape
    scores, confidence, best = np.empty(n), np.empty(n), np.empty(n, np.int64)
    for part in chunks(n, 8 * K):
        if logits:
            block = matrix[part].astype(np.float64)
        else:
            # Zeros are probabilities that were too small to store.
            block = checked(matrix[part], part.start).astype(np.float64)
            block = np.log(block.clip(min=_LEAST_PROBABILITY))
        rows = np.arange(len(block))
        # The mean of differences, not the difference of means, is exactly zero at a tie.
        scores[part] = (block - block[rows, given[part], None]).mean(axis=1)
        best[part] = block.argmax(axis=1)
        powers = np.exp(block - block.max(axis=1, keepdims=True))
        confidence[part] = 1 / powers.sum(axis=1)
    flagged = scores > 0
    return Findings(
        ids=as_ids(ids, n),
        suspicion=squash(scores),
        flagged=flagged,
        suggested_labels=np.where(flagged, best, -1),
        suggestion_confidence=np.where(flagged, confidence, np.nan),
        noise_rate=float(flagged.mean()),
    )


def _logits(evidence: ArrayLike | Probabilities) -> Array:
    if isinstance(evidence, Probabilities):
        raise InputError("logits: got Probabilities: leave out kind, or pass logits")
    return as_rows(evidence, "logits")


class Cores(Detector):
    """Flags labels that are less probable than the geometric mean of all classes."""

    reads: ClassVar[tuple[str, ...]] = ("probabilities",)

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's probabilities, in sample or out of sample."""
        probabilities = needed(dataset.probabilities, "probabilities", "the enricher linear-probe")
        return cores(dataset.labels, probabilities.values, ids=dataset.ids)
