"""How well detectors find wrong labels, measured against the truth."""

from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import Dataset, Findings, Measurement, Metric, Run
from adc_core.records import rows_of
from adc_core.storage import UNKNOWN
from adc_plugins_detect.scoring import highest

BUDGET = "F1 at equal budget"

IMBALANCE = 3
"""Classes are compared by size where the largest has so many times the samples of the smallest."""


class FlagFigures(NamedTuple):
    """Quality of a set of flags; None where it is undefined.

    Attributes:
        precision: share of the flagged that are wrong; None if nothing is flagged.
        recall: share of the wrong that are flagged; None if nothing is wrong.
        f1: harmonic mean of both; None if nothing is flagged nor wrong.
    """

    precision: float | None
    recall: float | None
    f1: float | None


class RankFigures(NamedTuple):
    """Quality of an order of suspicion; None where it is undefined.

    Attributes:
        average_precision: precision averaged over recall, in steps; None if nothing is wrong.
        roc_auc: chance that a wrong label is more suspicious than a right one, equals counting
            half; None unless there are both.
        precision_at_95_recall: at the first threshold that finds 95 % of the wrong labels; None
            if nothing is wrong.
    """

    average_precision: float | None
    roc_auc: float | None
    precision_at_95_recall: float | None


def flag_figures(wrong: ArrayLike, flagged: ArrayLike) -> FlagFigures:
    """Compute precision, recall and F1 of flags.

    Args:
        wrong: N booleans, the label is wrong.
        flagged: N booleans.
    """
    is_wrong, is_flagged = np.asarray(wrong, np.bool_), np.asarray(flagged, np.bool_)
    hits = int((is_wrong & is_flagged).sum())
    n_wrong, n_flagged = int(is_wrong.sum()), int(is_flagged.sum())
    return FlagFigures(
        precision=_ratio(hits, n_flagged),
        recall=_ratio(hits, n_wrong),
        f1=_ratio(2 * hits, n_flagged + n_wrong),
    )


def rank_figures(wrong: ArrayLike, suspicion: ArrayLike) -> RankFigures:
    """Average precision, area under the ROC curve and precision at 95 % recall.

    Equal suspicions are one threshold, so the order of samples does not matter.

    Args:
        wrong: N booleans, the label is wrong.
        suspicion: N numbers, larger is more suspicious.
    """
    is_wrong, scores = np.asarray(wrong, np.bool_), np.asarray(suspicion, np.float64)
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = is_wrong[order].cumsum()[last] if len(order) else np.zeros(0, np.int64)
    flagged = last + 1
    n_wrong = int(is_wrong.sum())
    n_right = len(is_wrong) - n_wrong
    if not n_wrong:
        return RankFigures(None, None, None)
    precision, found = hits / flagged, np.diff(hits, prepend=0)
    false = np.diff(flagged - hits, prepend=0)
    first = int((hits / n_wrong >= 0.95 - 1e-12).argmax())
    area = float((false * (hits - found / 2)).sum())
    return RankFigures(
        average_precision=float((found * precision).sum() / n_wrong),
        roc_auc=_ratio(area, n_wrong * n_right),
        precision_at_95_recall=float(precision[first]),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


class Detection(Metric):
    """Measures how well detectors find the labels that are wrong."""

    requires: ClassVar[tuple[str, ...]] = ("truth",)

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every detector, flagging all or at random, and the true noise rates.

        Samples of unknown truth, and those that a detector did not cover, do not count; those of
        no class are wrong, whatever their label. "F1 at equal budget" is that of flagging the most
        suspicious samples, as many as are wrong; the transition error is the mean L1 distance of
        the rows of the estimated matrix to the shares of the given labels in each true class. The
        figures of each given label are details. Where some classes are much larger than others,
        head, middle and tail, the thirds of the classes by their given labels, are measured too.
        """
        dataset, truth = run.collected, run.truth
        if truth is None:
            return ()
        wrong, known = dataset.labels != truth, truth != UNKNOWN
        rate = _ratio(int(wrong[known].sum()), int(known.sum()))
        measurements = [_measurement("noise rate", "labels as collected", rate, "lower")]
        measurements += [
            _measurement("noise rate", f"as collected, says {name}", findings.noise_rate, "lower")
            for name, findings in run.findings.items()
            if findings.noise_rate is not None
        ]
        if run.curations:
            kept_truth = truth[rows_of(dataset.ids, run.curated.ids)]
            certain = (kept_truth != UNKNOWN) & run.curated.labeled
            kept = run.curated.labels[certain] != kept_truth[certain]
            left = _ratio(int(kept.sum()), len(kept))
            measurements.append(_measurement("noise rate", "labels as curated", left, "lower"))
        measurements += _baselines(wrong[known])
        for name, findings in run.findings.items():
            found = findings.for_ids(dataset)
            measurements += _of_detector(name, found, wrong, known)
            if found.transition is not None:
                error = transition_error(found.transition, truth, dataset.labels)
                measurements.append(_measurement("transition error", name, error, "lower"))
            measurements += _of_classes(name, found, wrong, known, dataset)
            measurements += _by_class_size(name, found, wrong, known, dataset)
        return tuple(measurements)


def transition_error(
    transition: NDArray[np.float64], truth: ArrayLike, labels: ArrayLike
) -> float | None:
    """Mean over the true classes of the L1 distance between an estimated row and the real one.

    Args:
        transition: K × K, row = true class.
        truth: N true labels, negative where unknown or no class.
        labels: N given labels.

    Returns:
        0 … 2, or None if the truth of no sample is known.
    """
    true, given, K = np.asarray(truth), np.asarray(labels), len(transition)
    known = true >= 0
    counts = np.bincount(true[known] * K + given[known], minlength=K * K).reshape(K, K)
    present = counts.sum(axis=1) > 0
    if not present.any():
        return None
    real = counts[present] / counts[present].sum(axis=1, keepdims=True)
    return float(np.abs(transition[present] - real).sum(axis=1).mean())


def _baselines(wrong: NDArray[np.bool_]) -> list[Measurement]:
    """Measure flagging everything, and flagging at random as many as are wrong."""
    everything = flag_figures(wrong, np.ones(len(wrong), np.bool_))
    rate = _ratio(int(wrong.sum()), len(wrong)) or None
    chance = FlagFigures(rate, rate, rate)
    area = None if rate in (None, 1.0) else 0.5
    return [
        *_flag_measurements("flag everything", everything),
        *_flag_measurements("flag at random", chance),
        *_rank_measurements("flag at random", RankFigures(rate, area, rate)),
        _measurement(BUDGET, "flag at random", rate),
    ]


def _of_classes(
    name: str,
    findings: Findings,
    wrong: NDArray[np.bool_],
    known: NDArray[np.bool_],
    dataset: Dataset,
) -> list[Measurement]:
    """Compute precision, recall and F1 among the samples of each given label."""
    judged = known & findings.covered
    K = len(dataset.classes)

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(dataset.labels[judged & chosen], minlength=K)

    hits, bad, out = count(wrong & findings.flagged), count(wrong), count(findings.flagged)
    return [
        Measurement(
            metric=f"{metric} of {label}",
            subject=name,
            value=_ratio(int(part[k]), int(whole[k])),
            better="higher",
            detail=True,
        )
        for k, label in enumerate(dataset.classes)
        for metric, part, whole in (
            ("precision", hits, out),
            ("recall", hits, bad),
            ("F1", 2 * hits, bad + out),
        )
    ]


def thirds_by_size(counts: ArrayLike) -> tuple[NDArray[np.int64], ...]:
    """Divide the classes that have samples into head, middle and tail, by how many they have.

    Args:
        counts: K; of equal ones the first class counts as the larger.

    Returns:
        Class numbers, three times: as many each time as can be, the head's first.
    """
    sizes = np.asarray(counts)
    order = np.argsort(-sizes, kind="stable")
    return tuple(np.array_split(order[sizes[order] > 0], 3))


def _by_class_size(
    name: str,
    findings: Findings,
    wrong: NDArray[np.bool_],
    known: NDArray[np.bool_],
    dataset: Dataset,
) -> list[Measurement]:
    """Measure head, middle and tail: right labels that are flagged tell rarity from error."""
    there = dataset.class_counts[dataset.class_counts > 0]
    if len(there) < 3 or there.max() < IMBALANCE * there.min():
        return []
    measurements = []
    for part, classes in zip(
        ("head", "middle", "tail"), thirds_by_size(dataset.class_counts), strict=True
    ):
        judged = known & findings.covered & np.isin(dataset.labels, classes)
        flagged, bad = findings.flagged[judged], wrong[judged]
        figures = flag_figures(bad, flagged)
        of_all, of_right = _ratio(int(flagged.sum()), len(flagged)), flagged[~bad]
        right = _ratio(int(of_right.sum()), len(of_right))
        subject = f"{name}, {part}"
        measurements += [
            _measurement("precision by class size", subject, figures.precision),
            _measurement("recall by class size", subject, figures.recall),
            _measurement("flagged by class size", subject, of_all, "lower"),
            _measurement("right labels flagged by class size", subject, right, "lower"),
        ]
    return measurements


def _of_detector(
    name: str, findings: Findings, wrong: NDArray[np.bool_], known: NDArray[np.bool_]
) -> list[Measurement]:
    judged = known & findings.covered
    flags = flag_figures(wrong[judged], findings.flagged[judged])
    ranks = rank_figures(wrong[judged], findings.suspicion[judged])
    budget = highest(findings.suspicion[judged], int(wrong[judged].sum()))
    measurements = [
        *_flag_measurements(name, flags),
        *_rank_measurements(name, ranks),
        _measurement(BUDGET, name, flag_figures(wrong[judged], budget).f1),
    ]
    if findings.noise_rate is not None and judged.any():
        error = abs(findings.noise_rate - float(wrong[judged].mean()))
        measurements.append(_measurement("noise rate error", name, error, "lower"))
    return measurements


def _flag_measurements(subject: str, figures: FlagFigures) -> list[Measurement]:
    return [
        _measurement("precision", subject, figures.precision),
        _measurement("recall", subject, figures.recall),
        _measurement("F1", subject, figures.f1),
    ]


def _rank_measurements(subject: str, figures: RankFigures) -> list[Measurement]:
    return [
        _measurement("average precision", subject, figures.average_precision),
        _measurement("ROC AUC", subject, figures.roc_auc),
        _measurement("precision at 95 % recall", subject, figures.precision_at_95_recall),
    ]


def _measurement(
    metric: str, subject: str, value: float | None, better: Literal["higher", "lower"] = "higher"
) -> Measurement:
    return Measurement(metric=metric, subject=subject, value=value, better=better)
