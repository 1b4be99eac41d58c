"""Forgetting: a label that is never learned, or learned and lost again and again, is suspicious."""

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import Dataset, Detector, Dynamics, Findings, InputError
from adc_core.arrays import Array, chunks
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.dynamics.curves import dynamics_of, seen_curves_of
from adc_plugins_detect.inputs import as_ids, as_labels
from adc_plugins_detect.options import Count


class Forgotten(NamedTuple):
    """How well each label was kept.

    Attributes:
        events: N int64, epochs in which it was predicted while in the next it was not.
        never_learned: N booleans: it was predicted in no epoch.
    """

    events: NDArray[np.int64]
    never_learned: NDArray[np.bool_]


def count_forgetting(correct: Array) -> Forgotten:
    """Count forgetting events (Toneva et al., ICLR 2019).

    Args:
        correct: N × E zeros and ones: the prediction was the given label.

    Raises:
        InputError: another number.
    """
    n, E = correct.shape
    events, never_learned = np.empty(n, np.int64), np.empty(n, np.bool_)
    for part in chunks(n, 3 * E):
        block = correct[part]
        learned = block == 1
        if (other := ~(learned | (block == 0)).all(axis=1)).any():
            row = part.start + int(other.argmax())
            raise InputError(f"correct: row {row} holds another number than 0 and 1")
        events[part] = (learned[:, :-1] & ~learned[:, 1:]).sum(axis=1)
        never_learned[part] = ~learned.any(axis=1)
    return Forgotten(events, never_learned)


@array_function
def forgetting(
    labels: ArrayLike,
    evidence: Dynamics | ArrayLike,
    *,
    min_events: Count = 3,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find labels that a network cannot learn or keep (Toneva et al., ICLR 2019).

    Suspicion is the number of forgetting events over the number of epochs, and 1 for what was
    never learned, as the paper ranks it. Flagged is what was never learned or was forgotten at
    least `min_events` times: counts are so often equal that a share to flag would fall to
    chance. The paper gives no threshold. Events alone are a weak sign: a wrong label that
    resists to the end is never forgotten, and a long training memorises every label.

    Args:
        labels: N given labels.
        evidence: training dynamics, or their N × E zeros and ones of `correct`, NaN in epochs in
            which a sample was not seen: events are counted between the others.
        min_events: forgetting events from which on a sample is flagged.
        ids: N texts; by default the row numbers.

    Raises:
        InputError: arrays of other shapes, `min_events` below 1.
    """
    given = as_labels(labels)
    correct = _kept_between(seen_curves_of(given, evidence, "correct"))
    events, never_learned = count_forgetting(correct)
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=np.where(never_learned, 1, events / correct.shape[1]),
        flagged=never_learned | (events >= min_events),
    )


def _kept_between(correct: Array) -> Array:
    """Fill epochs in which a sample was not seen: as it was last seen, or first."""
    gaps = np.isnan(correct)
    if not gaps.any():
        return correct
    places = np.arange(correct.shape[1])
    last = np.maximum.accumulate(np.where(gaps, -1, places), axis=1)
    first = (~gaps).argmax(axis=1)
    return np.take_along_axis(correct, np.where(last < 0, first[:, None], last), axis=1)


class Forgetting(Detector):
    """Flags labels that a network never learns, or learns and forgets again."""

    requires: ClassVar[tuple[str, ...]] = ("dynamics",)

    min_events: Count = Field(
        default=3, description="forgetting events from which on a sample is flagged"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's dynamics."""
        return forgetting(
            dataset.labels, dynamics_of(dataset), min_events=self.min_events, ids=dataset.ids
        )
