"""The share of wrong labels: a range, and what each estimator says."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError, NoiseRate
from adc_core.arrays import Array
from adc_core.records import Verdict
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.confident.joint import confident_joint
from adc_plugins_detect.confident.predictions import Predicted, labels_and_probabilities
from adc_plugins_detect.enrichers.ridge_probe import ridge_probe
from adc_plugins_detect.inputs import as_names, as_rows, same_length
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.noise.counterfactual import LEVEL, Counterfactual
from adc_plugins_detect.noise.hoc import hoc

_LOW_LEVELS = (0.1, 0.2, 0.3)
_HIGH_LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
GOOD, FAIR = 0.96, 0.88
GOOD_SKILL, FAIR_SKILL = 0.4, 0.3
"""Separations and skills from which evidence is called so. Of 4,000 labels with a tenth to two
fifths wrong, the thirty most suspicious are nearly all wrong with good evidence and more than half
with fair evidence (`benchmarks/noise_rates.py`); below, they are hardly better than drawn."""

_ENOUGH, _TOO_FEW = 100, 0.002
"""Fewer contradictions than this share, of so many labels, are what in-sample predictions give; the
least of the label sets of `benchmarks/noise_rates.py`, all out of sample, is 0.009."""

_HUMAN = 1.5
"""People err where images are hard, so that their errors are less suspicious than expected ones: by
so much more are there, where the evidence is good enough to tell. Measured on CIFAR-10N."""

_NEIGHBORS = 12


@array_function
def noise_rate(
    labels: ArrayLike,
    features: ArrayLike | None = None,
    probabilities: Predicted | Sequence[Predicted] | None = None,
    *,
    classes: Sequence[str] = (),
) -> NoiseRate:
    """Estimate which share of the labels is wrong, as a range.

    Without an assumption about the model, its errors look like wrong labels; so the
    estimate is a range whose ends rest on different assumptions:

    - the low end takes wrong labels to be spread at random over all classes, and counts only as
      many as the most suspicious labels must contain;
    - the high end takes them to be the very confusions that the model finds likely for each image,
      or half as many again as the point, or with good evidence what the confident joint counts;
    - the point expects wrong labels between the pairs of classes that the model confuses, and never
      exceeds the confident joint (Northcutt et al. 2021).

    HOC (Zhu et al. 2021) is reported where features are given, and not used: it counts every
    neighbor of another class as a wrong label. `benchmarks/noise_rates.py` measures the others.

    Args:
        labels: N given labels in 0…K-1.
        features: N × D, from an encoder that has not learned these labels; or None.
        probabilities: N × K out of sample; without them they are made from the features.
        classes: K names in the order of their numbers, for warnings, and for labels that are names;
            by default these sorted.

    Raises:
        InputError: neither features nor probabilities, or arrays of other shapes.
    """
    if probabilities is None:
        if features is None:
            raise InputError("the noise rate needs features or probabilities: give one of them")
        probabilities = ridge_probe(labels, features)
    given, matrix = labels_and_probabilities(labels, probabilities)
    names = as_names(classes, matrix.shape[1])
    hoc_rate = None if features is None else _hoc(given, features, names)
    return noise_rate_of(given, matrix, Counterfactual(given, matrix), hoc_rate, names)


def verdict_of(expected: Counterfactual) -> Verdict:
    """Call evidence good, fair or poor by how far wrong labels stand out, and by its skill."""
    if expected.separation >= GOOD and expected.skill >= GOOD_SKILL:
        return "good"
    fair = expected.separation >= FAIR and expected.skill >= FAIR_SKILL
    return "fair" if fair else "poor"


def noise_rate_of(
    labels: NDArray[np.int64],
    probabilities: Array,
    expected: Counterfactual,
    hoc_rate: tuple[float, tuple[str, ...]] | None = None,
    classes: Sequence[str] = (),
) -> NoiseRate:
    """Estimate the noise rate from what was computed already; see `noise_rate`.

    Args:
        labels: N given labels.
        probabilities: N × K, checked.
        expected: suspicion of these labels and of wrong ones.
        hoc_rate: what HOC says, and its warnings; or None.
        classes: K names.
    """
    n = len(labels)
    joint = confident_joint(labels, probabilities).noise_rate
    differs = expected.differs
    by_pair, separation = expected.rate, expected.separation
    factor = 1 + (_HUMAN - 1) * float(np.clip((separation - 0.94) / 0.02, 0, 1))
    tails = [expected.tail("uniform", level) for level in _LOW_LEVELS]
    low = max(0.0, min(tail.ratio - tail.error for tail in tails))
    # A weak model's errors look like wrong labels: then nobody can exclude that all are right.
    verdict = verdict_of(expected)
    low *= 0 if verdict == "poor" else float(np.clip((separation - FAIR) / 0.05, 0, 1))
    confusable = max(expected.tail("confusable", level).ratio for level in _HIGH_LEVELS)
    point = min(joint, factor * by_pair)
    high = max(confusable, _HUMAN * point)
    if verdict == "good":  # a weak model's joint is mostly its own errors
        high = max(high, joint)
    high = min(high, 1.1 * differs)
    chance = 2 * float(np.sqrt(max(high * (1 - high), 1 / n) / n))
    high = min(1.0, high + max(chance, expected.tail("class-pair", LEVEL).error))
    point = min(point, high)
    estimators = {"expected wrong labels": by_pair, "confident joint": joint, "differs": differs}
    notes: tuple[str, ...] = ()
    if hoc_rate is not None:
        estimators["HOC"], notes = hoc_rate
    return NoiseRate(
        low=min(low, point),
        point=point,
        high=high,
        poor=verdict == "poor",
        estimators=estimators,
        warnings=(*notes, *_warnings(estimators, point, low, separation, n)),
    )


def _warnings(
    estimators: dict[str, float], point: float, low: float, separation: float, n: int
) -> Iterator[str]:
    if n >= _ENOUGH and estimators["differs"] < _TOO_FEW:
        yield (
            f"predictions agree with all but {estimators['differs'] * n:.0f} of the {n:,} labels: "
            "if the model was trained on these very labels, that means nothing; predict every "
            "sample by a model that has not seen it (scikit-learn's cross_val_predict)"
        )
    neighbors = estimators.get("HOC", 0.0)
    if neighbors > 1.3 * max(estimators["confident joint"], point) + 0.02:
        yield (
            f"neighbors suggest {100 * neighbors:.0f} % wrong labels, predictions "
            f"{100 * point:.0f} %: the nearest images are often of another class, so do not trust "
            "the neighbors"
        )
    differs = estimators["differs"]
    if (differs - low > 0.15 or low > 0.5) and separation < 0.96:
        yield (
            f"predictions contradict {100 * differs:.0f} % of the labels: either many are wrong or "
            "the evidence is too weak to tell; a pretrained encoder or `adc audit`, a look at 200 "
            "labels, decides"
        )


def _hoc(
    labels: NDArray[np.int64], features: ArrayLike, classes: Sequence[str]
) -> tuple[float, tuple[str, ...]]:
    rows = as_rows(features, "features")
    same_length(labels, rows, "features")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        graph = nearest_neighbors(rows, k=min(_NEIGHBORS, len(rows) - 1))
        estimate = hoc(labels, graph, n_classes=len(classes))
    notes: tuple[str, ...] = ()
    if any(issubclass(one.category, UserWarning) for one in caught):
        astray = int((estimate.transition.argmax(axis=1) != np.arange(len(classes))).argmax())
        other = int(estimate.transition[astray].argmax())
        notes = (
            f"judged by neighbors, {classes[astray]} would be labelled {classes[other]} more "
            f"often than {classes[astray]}: these two classes look alike to the encoder",
        )
    return estimate.noise_rate, notes
