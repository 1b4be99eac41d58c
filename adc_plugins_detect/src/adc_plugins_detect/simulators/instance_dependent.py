"""Instance-dependent label noise: what a sample is taken for depends on its features."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import ndtr, ndtri

from adc_core import Corruption, Dataset, Simulator
from adc_core.arrays import Array, chunks
from adc_plugins_detect.inputs import needed

SPREAD = 0.1
"""Standard deviation of the samples' rates before they are cut to 0…1."""


def flip_rates(uniform: Array, rate: float) -> NDArray[np.float64]:
    """Draw rates of N samples: normal about `rate`, cut to 0…1.

    The cut moves their mean: 0.1 becomes 0.129, 0.2 0.206 and 0.3 0.300.

    Args:
        uniform: N numbers in 0…1, one draw each.
        rate: the mean before the cut.
    """
    low, high = ndtr(-rate / SPREAD), ndtr((1 - rate) / SPREAD)
    rates: NDArray[np.float64] = (rate + SPREAD * ndtri(low + uniform * (high - low))).clip(0, 1)
    return rates


def instance_rows(features: Array, label: int, weights: Array, rates: Array) -> NDArray[np.float64]:
    """Compute P(given label) of each sample of one true class (Xia et al., NeurIPS 2020).

    A sample keeps its label with one minus its rate; the rest goes to the other classes by the
    softmax of its features times the class's weights.

    Args:
        features: M × D features of the samples.
        label: their true class.
        weights: D × K.
        rates: M rates.

    Returns:
        M × K, rows sum to one.
    """
    scores = features @ weights
    scores[:, label] = -np.inf
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    rows: NDArray[np.float64] = rates[:, None] * shares / shares.sum(axis=1, keepdims=True)
    rows[:, label] = 1 - rates
    return rows


class InstanceDependentNoise(Simulator):
    """Gives samples wrong labels that depend on their features.

    Each true class has random weights, and a sample is mistaken for the classes that these give
    its features (part-dependent noise, Xia et al., NeurIPS 2020). Features are standardised and
    divided by the root of their number first, so that the noise does not depend on their scale;
    raw ones of large scale would make each sample's wrong label certain.
    """

    requires: ClassVar[tuple[str, ...]] = ("features",)

    rate: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="mean share of wrong labels; cutting moves low ones a little up",
    )
    seed: int = Field(default=0, ge=0, description="seed of the weights, the rates and the labels")

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Draw noisy labels, each by the features of its sample.

        Raises:
            InputError: the dataset has no features.
        """
        features = needed(dataset.features, "features", "an encoder")
        n, width = features.shape
        K, true = len(dataset.classes), dataset.labels
        mean, spread = _moments(features)
        draws = np.random.default_rng([self.seed, 0]).random((2, n))
        rates = flip_rates(draws[0], self.rate)
        noisy = true.copy()
        for label in np.unique(true):
            weights = np.random.default_rng([self.seed, 1, label]).normal(size=(width, K))
            members = np.flatnonzero(true == label)
            for part in chunks(len(members), 8 * (width + 2 * K)):
                rows = members[part]
                standard = (features[rows] - mean) / spread / np.sqrt(width)
                steps = instance_rows(standard, int(label), weights, rates[rows]).cumsum(axis=1)
                noisy[rows] = (draws[1, rows, None] * steps[:, -1:] >= steps).sum(axis=1)
        return Corruption(labels=noisy, mask=noisy != true)


def _moments(features: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each feature; 1 for one that never changes."""
    mean = features.mean(axis=0, dtype=np.float64)
    square = np.zeros_like(mean)
    for part in chunks(len(features), 8 * features.shape[1]):
        square += ((features[part] - mean) ** 2).sum(axis=0)
    spread = np.sqrt(square / len(features))
    return mean, np.where(spread > 0, spread, 1)
