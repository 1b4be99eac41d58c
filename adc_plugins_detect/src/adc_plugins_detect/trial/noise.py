"""Kinds of noise that are tried on a dataset, each from a seed."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset
from adc_core.arrays import Array
from adc_plugins_detect.scoring import highest
from adc_plugins_detect.simulators.class_conditional import corrupt
from adc_plugins_detect.simulators.instance_dependent import InstanceDependentNoise
from adc_plugins_detect.simulators.pair_flip import PairFlipNoise
from adc_plugins_detect.simulators.symmetric import SymmetricNoise, symmetric_transition

Noise = Callable[[int], NDArray[np.int64]]
"""From a seed to N noisy labels."""

MOST_OF_A_CLASS = 0.49
"""Of a class at most so many labels are made wrong: beyond, the wrong label is the rule."""

LEAST_RATE, MOST_RATE = 0.02, 0.4
"""Rates that are tried: fewer wrong labels are too few to score by, more drown the right ones."""


def scaled_transition(transition: Array, shares: Array, rate: float) -> NDArray[np.float64]:
    """Scale what is off the diagonal so that a share `rate` of all labels becomes wrong.

    Which classes are taken for which stays as estimated; a class of which more than 49 % would
    become wrong stops there.

    Args:
        transition: K × K, row = true class.
        shares: K shares of the classes.
        rate: share of wrong labels; a transition without any is taken to be symmetric.
    """
    off = np.array(transition, np.float64)
    np.fill_diagonal(off, 0)
    mean = float(shares @ off.sum(axis=1))
    if mean <= 0:
        return symmetric_transition(len(off), min(rate, MOST_OF_A_CLASS))
    off *= rate / mean
    off *= np.minimum(1, MOST_OF_A_CLASS / off.sum(axis=1).clip(1e-12))[:, None]
    np.fill_diagonal(off, 1 - off.sum(axis=1))
    return off


def confuse(labels: Array, probabilities: Array, rate: float, seed: int) -> NDArray[np.int64]:
    """Give the samples that a model doubts most often the class that it takes them for.

    As people do, who err where an image is hard, and towards what it looks like: the chance that a
    label becomes wrong is in proportion to one minus its probability, and the wrong label is drawn
    by the probabilities of the other classes.

    Args:
        labels: N labels, taken to be right.
        probabilities: N × K, out of sample.
        rate: share that becomes wrong, exactly.
        seed: of the draws.
    """
    n = len(labels)
    others = np.array(probabilities, np.float64).clip(1e-6)
    others[np.arange(n), labels] = 0
    random = np.random.default_rng(seed)
    # The largest of logs plus Gumbel noise are a weighted draw without replacement.
    keys = np.log(others.sum(axis=1)) + random.gumbel(size=n)
    rows = np.flatnonzero(highest(keys, round(rate * n)))
    steps = others[rows].cumsum(axis=1)
    noisy = np.array(labels, np.int64)
    noisy[rows] = (random.random(len(rows))[:, None] * steps[:, -1:] >= steps).sum(axis=1)
    return noisy


def kinds_of_noise(
    dataset: Dataset, probabilities: Array, transition: Array, rate: float
) -> dict[str, Noise]:
    """Make the kinds of noise that are tried.

    Args:
        dataset: samples whose labels are taken to be right, with features.
        probabilities: N × K of a model that has not seen each sample's label.
        transition: K × K as estimated from the dataset, row = true class.
        rate: share of wrong labels; less than a half.

    Returns:
        By name: `estimated` (the transition at that rate), `symmetric`, `pair-flip`,
        `instance-dependent` (random directions of the features, Xia et al. 2020), `confusable`
        (what the model itself doubts).
    """
    labels, K = dataset.labels, len(dataset.classes)
    shares = dataset.class_counts / len(dataset)
    estimated = scaled_transition(transition, shares, rate)
    return {
        "estimated": lambda seed: corrupt(labels, estimated, seed).labels,
        "symmetric": lambda seed: SymmetricNoise(rate=rate, seed=seed).corrupt(dataset).labels,
        "pair-flip": lambda seed: PairFlipNoise(rate=rate, seed=seed).corrupt(dataset).labels,
        "instance-dependent": lambda seed: (
            InstanceDependentNoise(rate=rate, seed=seed).corrupt(dataset).labels
        ),
        "confusable": lambda seed: confuse(labels, probabilities[:, :K], rate, seed),
    }
