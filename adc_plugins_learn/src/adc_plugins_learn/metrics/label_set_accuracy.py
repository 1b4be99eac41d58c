"""Accuracy on images that show several classes: predictions against sets of right labels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import Dataset, InputError, Measurement, Metric, Run
from adc_core.arrays import Array
from adc_core.records import LABEL_SETS, PROBLEMATIC, UNCLEAR_SETS
from adc_plugins_learn.metrics.accuracy import class_accuracies


class LabelSetScores(NamedTuple):
    """How well rankings of classes agree with label sets; NaN where nothing can be compared.

    Attributes:
        top1: share of the predictions that are the one label of the test set.
        real: share of the predictions that are a right label, of samples that have any (ReaL).
        label_set: share that are right or unclear, of each class, then the mean over classes.
        top_k: N, of a sample with k right labels the share of its k best classes that are right.
        counts: N, k of each sample.
        judged: share of the predictions on which the sets say anything.
        classes_without: classes that no sample is left of.
    """

    top1: float
    real: float
    label_set: float
    top_k: NDArray[np.float64]
    counts: NDArray[np.int64]
    judged: float
    classes_without: int

    @property
    def by_count(self) -> dict[int, float]:
        """The mean `top_k` of samples with equally many right labels."""
        known = ~np.isnan(self.top_k)
        groups = np.unique(self.counts[known]).tolist()
        return {k: float(self.top_k[known & (self.counts == k)].mean()) for k in groups}

    @property
    def asma(self) -> float:
        """The mean of `by_count`: samples with many labels count as much as the others."""
        return _mean(np.array(list(self.by_count.values())))


def label_set_accuracy(
    scores: ArrayLike,
    label_sets: ArrayLike,
    labels: ArrayLike,
    *,
    unclear: ArrayLike | None = None,
    problematic: ArrayLike | None = None,
) -> LabelSetScores:
    """Compare predictions with all labels that a sample has.

    ReaL of Beyer et al. 2020, label-set accuracy of Vasudevan et al., "When does dough become a
    bagel?", NeurIPS 2022, and variable top-k with its mean over numbers of labels (ASMA,
    arXiv 2412.18409, whose exact averaging this project guessed).

    Args:
        scores: N × K, higher is more probable; ties: the first wins.
        label_sets: N × K: 1 a right label, 0 a wrong one, -1 nobody judged; booleans will do.
        labels: N: the one label of the test set.
        unclear: N × K: labels that reviewers could not decide; they count as right in `label_set`.
        problematic: N booleans: samples that `label_set` leaves out.

    Raises:
        InputError: arrays of other shapes, or sets that hold something else.
    """
    ranks = np.asarray(scores, np.float64)
    given = np.asarray(labels, np.int64)
    sets = _sets(label_sets, ranks.shape, "label_sets")
    doubt = sets > 1 if unclear is None else _sets(unclear, ranks.shape, "unclear_sets") > 0
    bad = np.zeros(len(given), bool) if problematic is None else np.asarray(problematic, bool)
    if ranks.ndim != 2 or not len(ranks) == len(given) == len(bad):
        raise InputError(
            f"scores are {ranks.shape} for {len(given)} labels and {len(bad)} problematic: "
            "give a row for each sample"
        )
    rows, order = np.arange(len(given)), np.argsort(-ranks, axis=1, kind="stable")
    predicted = order[:, 0]
    right = sets > 0
    hit, judged = right[rows, predicted], (sets >= 0)[rows, predicted]
    counts = right.sum(axis=1)
    either = hit | doubt[rows, predicted]
    asked = ~bad & (judged | doubt[rows, predicted])
    K = ranks.shape[1]
    each = class_accuracies(np.where(either, given, -1)[asked], given[asked], K)
    return LabelSetScores(
        top1=_mean(predicted == given),
        real=_mean(hit[judged & (counts > 0)]),
        label_set=_mean(each[~np.isnan(each)]),
        top_k=_share_of_best(sets, order, counts),
        counts=counts,
        judged=_mean(judged),
        classes_without=int(np.isnan(each).sum()),
    )


def _sets(values: ArrayLike, shape: tuple[int, ...], name: str) -> NDArray[np.int8]:
    sets = np.asarray(values)
    if sets.shape != shape:
        raise InputError(f"{name}: expected {shape}, a row per sample and class, got {sets.shape}")
    if (odd := ~np.isin(sets, (-1, 0, 1)).all(axis=-1)).any():
        raise InputError(
            f"{name}: row {int(odd.argmax())} holds something else than 1, 0 and -1 (not judged)"
        )
    return sets.astype(np.int8)


def _share_of_best(sets: Array, order: Array, counts: Array) -> NDArray[np.float64]:
    """Compute N shares; NaN without labels, or where one of the best classes was not judged."""
    ranked = np.take_along_axis(sets, order, axis=1)
    best = np.arange(sets.shape[1]) < counts[:, None]
    known = (counts > 0) & ~(best & (ranked < 0)).any(axis=1)
    hits = (best & (ranked > 0)).sum(axis=1)
    return np.where(known, hits / np.maximum(counts, 1), np.nan)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan


class LabelSetAccuracy(Metric):
    """Measures accuracy against all labels that a test image has, where its sets are known.

    Half of what a good model gets wrong may be right. Reads the test set's column `label_sets`
    (N × K: 1 belongs, 0 does not, -1 not judged), and where they are there `unclear_sets` and
    `problematic`. A prediction that nobody judged counts nowhere; how many were judged stands
    beside.

    Traps: the figures are as good as the sets, and sets to which models' predictions were added
    favor those models. ReaL is a mean over samples, label-set accuracy over classes.
    """

    requires = ("test",)

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every training; figures for each number of labels are details.

        Raises:
            InputError: the test set has no label sets.
        """
        test = run.test
        if test is None:
            return ()
        if LABEL_SETS not in test.columns:
            raise InputError(
                f"the test set has no column {LABEL_SETS}: give it one (N × K of 1, 0 and -1), "
                "as a list column of a Parquet manifest or an array of an .npz file, or leave out "
                "the metric label-set-accuracy"
            )
        found = []
        for training in run.trainings:
            if training.predictions is not None:
                found += _measured(training.subject, training.predictions.probabilities, test)
        several = (np.asarray(test.columns[LABEL_SETS], np.int8) > 0).sum(axis=1) > 1
        if found:
            found.append(_figure("samples with several labels", "test set", _mean(several)))
        return tuple(found)


def _measured(subject: str, probabilities: Array, test: Dataset) -> list[Measurement]:
    scores = label_set_accuracy(
        probabilities,
        test.columns[LABEL_SETS],
        test.labels,
        unclear=test.columns.get(UNCLEAR_SETS),
        problematic=test.columns.get(PROBLEMATIC),
    )
    top_k = scores.top_k[~np.isnan(scores.top_k)]
    figures = {
        "top-1 accuracy": scores.top1,
        "ReaL accuracy": scores.real,
        "label-set accuracy": scores.label_set,
        "variable top-k accuracy": _mean(top_k),
        "ASMA": scores.asma,
        "judged predictions": scores.judged,
    }
    found = [_figure(name, subject, value) for name, value in figures.items()]
    for k, value in scores.by_count.items():
        number = int((~np.isnan(scores.top_k) & (scores.counts == k)).sum())
        name = f"variable top-k accuracy with k = {k} ({number:,} samples)"
        found.append(_figure(name, subject, value, detail=True))
    if scores.classes_without:
        found.append(
            _figure("classes without samples", subject, scores.classes_without, detail=True)
        )
    return found


def _figure(metric: str, subject: str, value: float, *, detail: bool = False) -> Measurement:
    known = None if np.isnan(value) else float(value)
    return Measurement(metric=metric, subject=subject, value=known, better="higher", detail=detail)
