"""Conformal p-values: how unusual a label is, beside labels that are known to be right."""

import math
import warnings
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.stats import binomtest

from adc_core import (
    Dataset,
    Detector,
    Findings,
    InputError,
    LocalPath,
    NoiseRate,
    Probabilities,
)
from adc_core.storage import UNKNOWN
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import (
    as_array,
    as_ids,
    as_labels,
    as_numbers,
    as_probabilities,
    out_of_sample,
    same_length,
)
from adc_plugins_detect.trusted_samples import trusted_labels

Miscoverage = Annotated[float, Gt(0), Lt(1)]
"""The share of true labels that prediction sets may miss."""


@array_function
def conformal_p_values(
    calibration: ArrayLike, probabilities: ArrayLike, labels: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Compute the p-value of every class: the rank of its score among those of right labels.

    The score of a label is one minus its probability; its p-value is the share of calibration
    scores, itself counted in, that are at least as large. If calibration and judged samples are
    exchangeable, the true label has a p-value of e or less with a chance of at most e.

    Args:
        calibration: C scores of labels that are known to be right, from a model that had not seen
            them.
        probabilities: N × K out-of-sample probabilities.
        labels: C classes of the calibration samples: then each class is judged by its own (Vovk's
            Mondrian), which makes the promise hold in each; without it by all.

    Returns:
        N × K p-values in (0, 1].

    Raises:
        InputError: arrays of other shapes.
    """
    matrix = as_probabilities(probabilities).astype(np.float64)
    scores = as_numbers(calibration, "calibration", (np.size(calibration),))
    if labels is None:
        return _p_values(scores, 1 - matrix)
    known = as_labels(labels, matrix.shape[1])
    same_length(known, scores, "calibration")
    columns = [_p_values(scores[known == k], 1 - matrix[:, k]) for k in range(matrix.shape[1])]
    return np.stack(columns, axis=1)


def _p_values(calibration: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    ascending = np.sort(calibration)
    as_large = len(ascending) - np.searchsorted(ascending, scores, "left")
    return np.asarray((as_large + 1) / (len(ascending) + 1), np.float64)


@array_function
def conformal(
    labels: ArrayLike,
    probabilities: Probabilities | ArrayLike,
    trusted: ArrayLike | None = None,
    *,
    miscoverage: Miscoverage = 0.1,
    within_classes: bool = False,
    ids: ArrayLike | None = None,
) -> Findings:
    """Flag labels that are outside their prediction sets, calibrated on trusted labels.

    A set holds the classes whose p-value is above `miscoverage`; on average over draws of such data
    at least 1 - `miscoverage` of the true labels are in theirs, whatever the model is worth: a
    worse one has larger sets, and finds less. Suspicion is one minus the given label's p-value.

    Trap: the trusted labels have to be true, and a random part of the same collection. Without
    any, the given labels calibrate: the promise then holds for given labels alone, and a quarter
    of the wrong ones of CIFAR-10N is found, where 1,000 trusted labels find 82 %.

    Args:
        labels: N given labels in 0…K-1.
        probabilities: N × K out-of-sample probabilities, those of trusted samples too.
        trusted: N true labels where they are known, and -1 elsewhere; without them the given
            labels calibrate.
        miscoverage: share of the true labels that sets may miss.
        within_classes: judge each class by its own trusted samples: the promise then holds in
            each, and classes of few trusted samples find nothing.
        ids: N texts; by default the row numbers.

    Returns:
        Findings; the suggestion is the only class of a set, with its probability as confidence.
        A trusted sample is judged by its true label, and their noise rate is that of all.

    Raises:
        InputError: arrays of other shapes, no trusted label, or other labels than classes.
    """
    given = as_labels(labels)
    matrix = as_probabilities(probabilities)
    same_length(given, matrix, "probabilities")
    given = as_labels(labels, matrix.shape[1])
    each = np.arange(len(given))
    rows, known = (each, given) if trusted is None else _known(trusted, matrix.shape[1], each)
    scores = 1 - matrix[rows, known].astype(np.float64)
    _warn_of_few(known if within_classes else np.zeros_like(known), miscoverage)
    chances = conformal_p_values(scores, matrix, known if within_classes else None)
    suspicion = 1 - chances[each, given]
    flagged = chances[each, given] <= miscoverage
    inside = chances > miscoverage
    suggested = np.where((inside.sum(axis=1) == 1), inside.argmax(axis=1), -1)
    wrong = known != given[rows]
    if trusted is not None:
        suspicion[rows], flagged[rows], suggested[rows] = wrong, wrong, known
    suggested[suggested == given] = -1
    confidence = np.where(suggested >= 0, matrix[each, suggested], np.nan)
    confidence[rows[wrong]] = 1
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=suspicion,
        flagged=flagged,
        suggested_labels=suggested,
        suggestion_confidence=confidence,
        noise_rate=None if trusted is None else float(wrong.mean()),
        noise_range=None if trusted is None else _range_of(wrong),
    )


def _range_of(wrong: NDArray[np.bool_]) -> NoiseRate:
    """Return the share of wrong labels among trusted samples, with its exact 95 % interval."""
    count, of = int(wrong.sum()), len(wrong)
    interval = binomtest(count, of).proportion_ci(0.95, "exact")
    return NoiseRate(
        low=float(interval.low),
        point=count / of,
        high=float(interval.high),
        estimators={"trusted samples": count / of},
        warnings=(
            f"the range is of {of:,} trusted samples, and holds if these were drawn at random",
        ),
    )


def _known(
    trusted: ArrayLike, n_classes: int, each: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows whose labels are known to be right, and these labels."""
    true = as_array(trusted, "trusted")
    if true.shape != each.shape or not np.isin(true, range(UNKNOWN, n_classes)).all():
        raise InputError(
            f"trusted: expected {len(each)} classes 0…{n_classes - 1}, or -1 where none is known"
        )
    rows = np.flatnonzero(true != UNKNOWN)
    if not len(rows):
        raise InputError("trusted: no label is known to be right: give some, 100 say")
    return rows, true[rows].astype(np.int64)


def _warn_of_few(groups: NDArray[np.int64], miscoverage: float) -> None:
    """Warn where so few trusted labels can flag nothing: the least p-value is 1/(n + 1)."""
    needed = math.ceil(1 / miscoverage - 1 - 1e-9)
    counts = np.bincount(groups)
    few = int((counts < needed).sum())
    if few:
        who = f"{few} of {len(counts)} classes have fewer" if len(counts) > 1 else "there are fewer"
        warnings.warn(
            f"a miscoverage of {miscoverage:g} takes {needed} trusted labels to flag anything, "
            f"and {who}",
            stacklevel=3,
        )


class Conformal(Detector):
    """Flags labels outside their prediction sets, which hold the true label as often as promised.

    On average over draws of such data at least 1 - `miscoverage` of the true labels are inside
    their sets, if the trusted samples are a random part of the collection and their labels are
    true; with few of them say how many. The promise is calibrated, not the noise rate.
    """

    requires: ClassVar[tuple[str, ...]] = ("probabilities",)

    trusted_samples: LocalPath | None = Field(
        default=None,
        description="samples whose labels are known: a CSV or Parquet of `label` and `id` or "
        "`path`, or a .txt of ids whose given labels are right; none: the given labels calibrate, "
        "and the promise is for given labels alone",
    )
    miscoverage: Miscoverage = Field(
        default=0.1, description="share of the true labels that sets may miss"
    )
    within_classes: bool = Field(
        default=False, description="judge each class by its own trusted samples"
    )
    allow_in_sample: bool = Field(
        default=False, description="accept probabilities of a model that has seen the labels"
    )

    @property
    def awaited_files(self) -> tuple[str, ...]:
        """A list of ids, which `trusted-split` of the same run may write first."""
        path = self.trusted_samples
        return ("trusted_samples",) if path is not None and path.suffix == ".txt" else ()

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's probabilities.

        Raises:
            InputError: they are missing or in sample, or no trusted sample is in the dataset.
        """
        true = (
            None if self.trusted_samples is None else trusted_labels(self.trusted_samples, dataset)
        )
        return conformal(
            dataset.labels,
            out_of_sample(dataset, self.allow_in_sample),
            true,
            miscoverage=self.miscoverage,
            within_classes=self.within_classes,
            ids=dataset.ids,
        )
