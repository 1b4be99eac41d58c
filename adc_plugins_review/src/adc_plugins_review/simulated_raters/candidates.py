"""Raters as classifiers: each has seen few samples and few features, and learned for a while."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from adc_core.arrays import Array, chunks
from adc_core.components import progress

_SAMPLES = (60, 120, 250, 500, 1000, 0)
_FEATURES = (16, 32, 64, 128, 0)
_STRENGTHS = (0.03, 0.3)
_STEPS = (20, 100)
"""What candidates differ in; 0 is all that there is."""


class Candidates(NamedTuple):
    """What the candidates say, and what is known of them.

    Attributes:
        label: C × N class indices; -1 where a candidate was not asked.
        error: C shares of wrong labels on held-out samples.
        agreement: C × C shares of held-out samples on which two of them agree.
        facts: C × 5: held-out accuracy and log loss, log of samples and of features, steps.
    """

    label: NDArray[np.int32]
    error: NDArray[np.float64]
    agreement: NDArray[np.float64]
    facts: NDArray[np.float32]


FACTS = ("held_out_accuracy", "held_out_loss", "log_samples", "log_features", "steps")


class _Kind(NamedTuple):
    samples: int
    features: int
    strength: float
    steps: int


def train_candidates(
    features: Array,
    labels: NDArray[np.int64],
    halves: list[tuple[NDArray[np.int64], NDArray[np.int64]]],
    count: int,
    held_out: float,
    seed: int,
) -> Candidates:
    """Train candidates on some samples, and let them label others.

    Args:
        features: N × D.
        labels: N true class indices.
        halves: rows to learn from and rows to label, once for each half.
        count: how many candidates.
        held_out: share of the rows to learn from that no candidate is trained on.
        seed: of all that is drawn.
    """
    N, K = len(labels), int(labels.max()) + 1
    present = np.unique(labels)
    label = np.full((count, N), -1, np.int32)
    errors, losses = np.zeros((len(halves), count)), np.zeros((len(halves), count))
    agreement = np.zeros((count, count))
    kinds = [_kind(seed, number, *features.shape) for number in range(count)]
    for half, (learn, told) in enumerate(halves):
        rng = np.random.default_rng([seed, 2, half])
        held = _stratified(labels[learn], held_out, rng)
        train, test = learn[~held], learn[held]
        said = np.empty((count, len(test)), np.int64)
        for number, kind in enumerate(kinds):
            drawn = np.random.default_rng([seed, 3, half, number])
            rows = _some_of_each(train, labels, kind.samples, drawn)
            columns = np.random.default_rng([seed, 4, number]).permutation(features.shape[1])
            columns = np.sort(columns[: kind.features])
            weights = _fit(features[rows][:, columns], labels[rows], K, kind)
            weights[-1, np.setdiff1d(np.arange(K), present)] = -1e9  # never says what is not there
            scores = _scores(features, test, columns, weights)
            said[number] = scores.argmax(axis=1)
            errors[half, number] = (said[number] != labels[test]).mean()
            likely = logsumexp(scores, axis=1) - scores[np.arange(len(test)), labels[test]]
            losses[half, number] = likely.mean()
            for part in chunks(len(told), 8 * (len(columns) + K)):
                label[number, told[part]] = _scores(features, told[part], columns, weights).argmax(
                    axis=1
                )
            progress(half * count + number + 1, len(halves) * count, "raters")
        agreement += _agreement(said, K)
    error = errors.mean(axis=0)
    facts = [
        (1 - error[n], losses[:, n].mean(), np.log(k.samples), np.log(k.features), k.steps)
        for n, k in enumerate(kinds)
    ]
    return Candidates(label, error, agreement / len(halves), np.array(facts, np.float32))


def _kind(seed: int, number: int, N: int, D: int) -> _Kind:
    rng = np.random.default_rng([seed, 1, number])
    samples, features, strength, steps = (
        rng.choice(choices) for choices in (_SAMPLES, _FEATURES, _STRENGTHS, _STEPS)
    )
    return _Kind(int(samples) or N, min(int(features) or D, D), float(strength), int(steps))


def _stratified(
    labels: NDArray[np.int64], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Mark a share of each class, at least one sample, and leave at least one."""
    marked = np.zeros(len(labels), np.bool_)
    for k in np.unique(labels).tolist():
        rows = rng.permutation(np.flatnonzero(labels == k))
        marked[rows[: min(len(rows) - 1, max(1, round(share * len(rows))))]] = True
    return marked


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


def _scores(
    features: Array,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    scores: NDArray[np.float64] = features[rows][:, columns] @ weights[:-1] + weights[-1]
    return scores


def _agreement(said: NDArray[np.int64], K: int) -> NDArray[np.float64]:
    """Compute shares of columns in which two rows are alike."""
    count, M = said.shape
    same = np.zeros((count, count))
    for k in range(K):
        chosen = (said == k).astype(np.float64)
        same += chosen @ chosen.T
    shares: NDArray[np.float64] = same / M
    return shares
