"""How far to believe the network, and how far the vote."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

GAMMAS = (0.0, *(round(0.55 + 0.05 * step, 2) for step in range(10)))
"""Weights of the network that can make a difference to the most probable class, and 0."""

_SMOOTHED = 1e-3
_CLEARLY = 1e-12


def relabelled(predicted: ArrayLike, given: ArrayLike, gamma: float) -> NDArray[np.int64]:
    """Take the most probable class of gamma times the network and the rest of the vote.

    It differs from the vote where another class leads by more than (1 - gamma) / gamma.

    Args:
        predicted: P × K probabilities.
        given: P class indices that were voted for.
        gamma: 0…1.
    """
    q, y = np.asarray(predicted, np.float64), np.asarray(given, np.int64)
    return clearly_best(gamma * q + (1 - gamma) * np.eye(q.shape[1])[y], y)


def clearly_best(targets: NDArray[np.float64], given: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class of the largest target of each row; a tie keeps the given one."""
    rows, best = np.arange(len(given)), targets.argmax(axis=1)
    return np.where(targets[rows, best] > targets[rows, given] + _CLEARLY, best, given)


def gamma_by_accuracy(
    predicted: ArrayLike, given: ArrayLike, true: ArrayLike
) -> tuple[float, list[float]]:
    """Choose the smallest gamma whose most probable classes are right most often.

    Returns:
        The gamma, and the accuracy of each of `GAMMAS`.
    """
    scores = [
        float(np.mean(relabelled(predicted, given, gamma) == np.asarray(true))) for gamma in GAMMAS
    ]
    return GAMMAS[int(np.argmax(scores))], scores


def gamma_by_loss(predicted: ArrayLike, given: ArrayLike, true: ArrayLike) -> float:
    """Choose the gamma of the least log loss, for labels that are drawn; votes count smoothed."""
    q, y, t = np.asarray(predicted, np.float64), np.asarray(given), np.asarray(true)
    K, rows = q.shape[1], np.arange(len(y))
    vote = np.where(y == t, 1 - _SMOOTHED, 0) + _SMOOTHED / K
    likely = q[rows, t]

    def slope(gamma: float) -> float:
        return float(np.mean((likely - vote) / (gamma * likely + (1 - gamma) * vote)))

    if slope(0.0) <= 0:
        return 0.0
    if slope(1.0) >= 0:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return (low + high) / 2


def draw_labels(targets: ArrayLike, uniforms: ArrayLike) -> NDArray[np.int64]:
    """Draw a class of each row by its targets, from one number in 0…1 each."""
    steps = np.cumsum(np.asarray(targets, np.float64), axis=1)
    drawn: NDArray[np.int64] = (steps < np.asarray(uniforms)[:, None] * steps[:, -1:]).sum(axis=1)
    return drawn
