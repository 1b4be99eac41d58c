"""What suspicion would be if a label were another one: a yardstick for how many labels are wrong.

A prediction that was made without a sample's label would have been the same under any other label.
So the suspicion of every label that the sample might have had is known, and with it the
distribution of the suspicion of wrong labels, as soon as one says which wrong labels to expect.
The suspicion of the labels as they are is a mixture of that of right and of wrong ones; among the
most suspicious hardly any right ones are left, and the ratio of the two tails is the share of wrong
labels (a mixture proportion: Blanchard, Lee and Scott, JMLR 2010).
"""

from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core.arrays import Array

Flips = Literal["uniform", "class-pair", "confusable"]
"""Which wrong labels to expect: any class by its frequency; the classes for which the model's
predictions and the labels differ most often; those that the model finds likely for the very image.
Mistakes of the first kind are the easiest to see, of the last the hardest: people's are between."""

LEVEL = 0.3
"""Of the expected wrong labels, the share at whose suspicion tails are compared: few right labels
are so suspicious, and enough wrong ones."""

_HOPELESS = 0.7
"""Where labels look as if so many were wrong, the model has learned nothing of them."""

_FEWEST = 20
"""Fewer samples of a class do not show how many of them are wrong; they share the whole's rate."""

_MOST_ROWS = 20_000
"""More samples than these are drawn from: the curves of expected wrong labels need no more."""


class Curve(NamedTuple):
    """How suspicious wrong labels of one kind would look.

    Attributes:
        suspicion: M float64, falling.
        share: M float64, share of the wrong labels that are at least so suspicious, rising to 1.
    """

    suspicion: NDArray[np.float64]
    share: NDArray[np.float64]

    def at_level(self, level: float) -> float:
        """Return the suspicion that a share `level` of the wrong labels reaches."""
        place = min(int(np.searchsorted(self.share, level)), len(self.share) - 1)
        return float(self.suspicion[place])

    def reaching(self, suspicion: float) -> float:
        """Return the share of the wrong labels that are at least so suspicious."""
        place = int(np.searchsorted(-self.suspicion, -suspicion, side="right"))
        return float(self.share[place - 1]) if place else 0.0


class Tail(NamedTuple):
    """Two tails compared beyond one suspicion.

    Attributes:
        ratio: share of the labels beyond it, over the share of expected wrong labels beyond it.
        error: two standard errors of the ratio, by chance alone.
    """

    ratio: float
    error: float


class Counterfactual:
    """The suspicion of the labels as they are, and as wrong ones would have it.

    Args:
        labels: N given labels.
        probabilities: N × K out-of-sample probabilities.
    """

    def __init__(self, labels: NDArray[np.int64], probabilities: Array) -> None:
        n, K = probabilities.shape
        rows = np.arange(n)
        predicted = np.empty(n, np.int64)
        own = np.empty(n)
        step = max(1, (1 << 21) // K)
        for start in range(0, n, step):
            block = probabilities[start : start + step]
            predicted[start : start + step] = block.argmax(axis=1)
            own[start : start + step] = block[rows[: len(block)], labels[start : start + step]]
        self.suspicion: NDArray[np.float64] = (1 - own).clip(0, 1)
        self.differs = float((predicted != labels).mean())
        self._falling = -np.sort(-self.suspicion)
        drawn = rows
        if n > _MOST_ROWS:
            drawn = np.sort(np.random.default_rng(0).choice(n, _MOST_ROWS, replace=False))
        self._values = np.asarray(probabilities[drawn], np.float64)
        self._predicted = predicted[drawn]
        self._all_predicted = predicted
        self._frequency = np.bincount(labels, minlength=K) / n
        self._pairs = _pairs(predicted, labels, K)
        self._curves: dict[Flips, Curve] = {}

    def curve(self, flips: Flips) -> Curve:
        """Return how suspicious wrong labels of a kind would look."""
        if flips not in self._curves:
            values, predicted = self._values, self._predicted
            if flips == "uniform":
                weights = np.tile(self._frequency, (len(values), 1))
            elif flips == "class-pair":
                weights = self._pairs[predicted]
            else:
                weights = values.copy()
            weights[np.arange(len(values)), predicted] = 0
            self._curves[flips] = _curve(values, weights)
        return self._curves[flips]

    def tail(self, flips: Flips, level: float) -> Tail:
        """Compare the tails beyond the suspicion that a share `level` of wrong labels reaches."""
        curve = self.curve(flips)
        suspicion = curve.at_level(level)
        beyond = self.beyond(suspicion)
        expected = max(curve.reaching(suspicion), 1e-12)
        n = len(self.suspicion)
        error = 2 * np.sqrt(max(beyond * (1 - beyond), 1 / n) / n) / expected
        return Tail(beyond / expected, float(error))

    @cached_property
    def rate(self) -> float:
        """The share of wrong labels, estimated apart in each class that the model predicts.

        Classes differ in how surely they are predicted and in how often they are mislabelled; a
        common yardstick would miss wrong labels that fill the classes that are hard to predict.
        Wrong labels are expected by pairs of classes.
        """
        whole = self.tail("class-pair", LEVEL).ratio
        n, K = len(self.suspicion), len(self._frequency)
        wrong = 0.0
        counts = np.bincount(self._all_predicted, minlength=K)
        for k in np.flatnonzero(counts):
            if counts[k] < _FEWEST or not (values := self._values[self._predicted == k]).size:
                wrong += counts[k] * min(1.0, whole)
                continue
            curve = _curve(values, np.tile(self._pairs[k], (len(values), 1)))
            suspicion = curve.at_level(LEVEL)
            beyond = (self.suspicion[self._all_predicted == k] >= suspicion).mean()
            wrong += counts[k] * min(1.0, float(beyond) / max(curve.reaching(suspicion), 1e-12))
        return wrong / n

    def beyond(self, suspicion: float) -> float:
        """Return the share of the labels that are at least so suspicious."""
        return float(np.searchsorted(-self._falling, -suspicion, side="right")) / len(self._falling)

    def worst(self, share: float) -> float:
        """Return the suspicion that the most suspicious share of the labels reaches."""
        count = min(max(1, round(share * len(self._falling))), len(self._falling))
        return float(self._falling[count - 1])

    @cached_property
    def _by_chance(self) -> float:
        """How often as many predictions of each class, dealt at random, would hit the labels."""
        counts = np.bincount(self._all_predicted, minlength=len(self._frequency))
        return float(counts @ self._frequency) / len(self.suspicion)

    @property
    def skill(self) -> float:
        """How much of what chance leaves the predictions hit of the given labels (Cohen's kappa).

        A weak model's errors and many wrong labels look the same, most of all with two classes.
        """
        return (1 - self.differs - self._by_chance) / max(1 - self._by_chance, 1e-12)

    @cached_property
    def separation(self) -> float:
        """How surely a wrong label looks more suspicious than a right one: 1 always, 0.5 by chance.

        It is the area under the ROC curve of expected wrong labels against the labels as they
        are, freed from the wrong ones among these, which no expected ones can stand out from.
        Predictions that hit the labels no more often than chance would, however sure they are, say
        nothing of them.
        """
        n = len(self.suspicion)
        if 1 - self.differs <= self._by_chance + 2 * np.sqrt(
            self._by_chance * (1 - self._by_chance) / n
        ):
            return 0.5
        curve = self.curve("class-pair")
        rising = np.sort(self.suspicion)
        below = np.searchsorted(rising, curve.suspicion, side="left")
        upto = np.searchsorted(rising, curve.suspicion, side="right")
        weights = np.diff(curve.share, prepend=0.0)
        area = float(weights @ (below + upto)) / (2 * len(rising))
        rate = self.tail("class-pair", LEVEL).ratio
        if rate >= _HOPELESS:
            return 0.5
        rate = min(rate, 0.5)  # were most labels wrong, weak predictions would seem to find them
        return float(np.clip((area - rate / 2) / (1 - rate), 0.5, 1))


def _curve(values: NDArray[np.float64], weights: NDArray[np.float64]) -> Curve:
    """Return how suspicious labels are that are drawn, for each row, by its weights."""
    total = weights.sum(axis=1, keepdims=True)
    # Where a model leaves the other classes no chance at all, the row says nothing of them.
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    order = np.argsort(values, axis=None, kind="stable")
    share = np.cumsum(weights.ravel()[order])
    return Curve((1 - values.ravel()[order]).clip(0, 1), share / max(share[-1], 1e-300))


def _pairs(predicted: NDArray[np.int64], labels: NDArray[np.int64], K: int) -> NDArray[np.float64]:
    """Count how often each other label was given to each predicted class, K × K."""
    counts = np.bincount(predicted * K + labels, minlength=K * K).reshape(K, K).astype(np.float64)
    np.fill_diagonal(counts, 0)
    return counts + 1e-9 * np.bincount(labels, minlength=K)
