"""Candidates that are logistic regressions: each has seen few samples and few features."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from adc_core.arrays import Array, chunks
from adc_plugins_review.simulated_raters.candidates import Judge

_SAMPLES = (60, 120, 250, 500, 1000, 0)
_FEATURES = (16, 32, 64, 128, 0)
_STRENGTHS = (0.03, 0.3)
_STEPS = (20, 100)
"""What candidates differ in; 0 is all that there is."""


class _Kind(NamedTuple):
    samples: int
    features: int
    strength: float
    steps: int


class Regressions:
    """Teaches multinomial logistic regressions that differ in what they see and for how long.

    Args:
        features: N × D.
        labels: N true class indices.
        count: how many candidates.
        seed: of all that is drawn.
    """

    facts = ("log_samples", "log_features", "steps")

    def __init__(self, features: Array, labels: NDArray[np.int64], count: int, seed: int) -> None:
        self.count, self._seed = count, seed
        self._features, self._labels = features, labels
        self._kinds = [_kind(seed, number, *features.shape) for number in range(count)]

    def known(self, number: int, samples: int) -> tuple[float, ...]:
        """Return log samples, log features and steps of a candidate."""
        kind = self._kinds[number]
        return float(np.log(kind.samples)), float(np.log(kind.features)), float(kind.steps)

    def teach(self, half: int, number: int, rows: NDArray[np.int64]) -> Judge:
        """Fit a candidate to some of the rows, by some of the features."""
        kind, features, labels = self._kinds[number], self._features, self._labels
        K = int(labels.max()) + 1
        drawn = np.random.default_rng([self._seed, 3, half, number])
        learned = _some_of_each(rows, labels, kind.samples, drawn)
        columns = np.random.default_rng([self._seed, 4, number]).permutation(features.shape[1])
        columns = np.sort(columns[: kind.features])
        weights = _fit(features[learned][:, columns], labels[learned], K, kind)
        # Never says what is not there.
        weights[-1, np.setdiff1d(np.arange(K), np.unique(labels))] = -1e9

        def judge(asked: NDArray[np.int64]) -> NDArray[np.float64]:
            scores = np.empty((len(asked), K))
            for part in chunks(len(asked), 8 * (len(columns) + K)):
                seen = features[asked[part]][:, columns]
                scores[part] = seen @ weights[:-1] + weights[-1]
            return scores

        return judge


def _kind(seed: int, number: int, N: int, D: int) -> _Kind:
    rng = np.random.default_rng([seed, 1, number])
    samples, features, strength, steps = (
        rng.choice(choices) for choices in (_SAMPLES, _FEATURES, _STRENGTHS, _STEPS)
    )
    return _Kind(int(samples) or N, min(int(features) or D, D), float(strength), int(steps))


def _some_of_each(
    rows: NDArray[np.int64], labels: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw some rows, of each class at least one."""
    drawn = rng.permutation(rows)
    _, first = np.unique(labels[drawn], return_index=True)
    others = np.delete(drawn, first)[: max(0, count - len(first))]
    return np.concatenate([drawn[first], others])


def _fit(features: Array, labels: NDArray[np.int64], K: int, kind: _Kind) -> NDArray[np.float64]:
    """Fit multinomial logistic regression by some steps of L-BFGS; (D + 1) × K weights."""
    x = np.concatenate([features.astype(np.float64), np.ones((len(labels), 1))], axis=1)
    target = np.eye(K)[labels]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(-1, K)
        scores = x @ weights
        total = logsumexp(scores, axis=1, keepdims=True)
        gradient = kind.strength * (x.T @ (np.exp(scores - total) - target))
        gradient[:-1] += weights[:-1]
        value = kind.strength * float((total[:, 0] - (scores * target).sum(axis=1)).sum())
        return value + 0.5 * float((weights[:-1] ** 2).sum()), gradient.ravel()

    begin = np.zeros(x.shape[1] * K)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": kind.steps})
    weights: NDArray[np.float64] = found.x.reshape(-1, K)
    return weights
