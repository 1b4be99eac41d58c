"""A network of one hidden layer that predicts the true class from a vote."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

_FLOOR = -10.0
_RATE, _DECAY = 3e-3, 1e-2
_BATCH, _PATIENCE = 256, 20


class Network(NamedTuple):
    """Weights of one ReLU layer and a softmax.

    Attributes:
        w1: D × h.
        b1: h.
        w2: h × K.
        b2: K.
    """

    w1: NDArray[np.float64]
    b1: NDArray[np.float64]
    w2: NDArray[np.float64]
    b2: NDArray[np.float64]

    def predict(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rows × K probabilities of the true class."""
        hidden = np.maximum(inputs @ self.w1 + self.b1, 0)
        scores = hidden @ self.w2 + self.b2
        predicted: NDArray[np.float64] = np.exp(scores - logsumexp(scores, axis=1, keepdims=True))
        return predicted


def network_inputs(
    logits: ArrayLike, given: ArrayLike, features: ArrayLike, rows: ArrayLike
) -> NDArray[np.float64]:
    """Put side by side what the network sees of a vote.

    Args:
        logits: P × K of a classifier of the samples, or logs of its probabilities.
        given: P class indices that the raters gave.
        features: P × f of the raters, standardised.
        rows: P × K, P(true class | given class) of the raters.

    Returns:
        P × (3K + f): log probabilities, not below -10; one-hot votes; features; rows.
    """
    scores = np.asarray(logits, np.float64)
    likely = np.maximum(scores - logsumexp(scores, axis=1, keepdims=True), _FLOOR)
    votes = np.eye(scores.shape[1])[np.asarray(given)]
    return np.concatenate([likely, votes, np.asarray(features), np.asarray(rows)], axis=1)


def train_network(
    inputs: NDArray[np.float64],
    true: NDArray[np.int64],
    held: NDArray[np.bool_],
    classes: int,
    hidden: int,
    epochs: int,
    rng: np.random.Generator,
) -> tuple[Network, float]:
    """Train by cross-entropy with Adam, and keep the epoch of the least held-out log loss.

    Args:
        inputs: P × D.
        true: P true class indices.
        held: P booleans: held out.
        classes: K, how many classes.
        hidden: size of the hidden layer.
        epochs: at most so many; 20 without a better one end it.
        rng: draws weights and batches.

    Returns:
        The network and its held-out log loss.
    """
    width = inputs.shape[1]
    network = Network(
        rng.normal(0, np.sqrt(2 / width), (width, hidden)),
        np.zeros(hidden),
        rng.normal(0, np.sqrt(2 / hidden), (hidden, classes)),
        np.zeros(classes),
    )
    first = [np.zeros_like(one) for one in network]
    second = [np.zeros_like(one) for one in network]
    x, y, step = inputs[~held], true[~held], 0
    best, least, since = network, log_loss(network, inputs[held], true[held]), 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for begin in range(0, len(x), _BATCH):
            rows, step = order[begin : begin + _BATCH], step + 1
            network = _adam(network, _gradients(network, x[rows], y[rows]), first, second, step)
        loss = log_loss(network, inputs[held], true[held])
        best, least, since = (network, loss, 0) if loss < least else (best, least, since + 1)
        if since >= _PATIENCE:
            break
    return best, least


def log_loss(network: Network, inputs: NDArray[np.float64], true: NDArray[np.int64]) -> float:
    """Return the mean of minus the log of the true class's probability."""
    likely = network.predict(inputs)[np.arange(len(true)), true]
    return float(-np.log(np.maximum(likely, 1e-12)).mean())


def _gradients(
    network: Network, x: NDArray[np.float64], true: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    hidden = np.maximum(x @ network.w1 + network.b1, 0)
    error = network.predict(x)
    error[np.arange(len(true)), true] -= 1
    error /= len(true)
    back = (error @ network.w2.T) * (hidden > 0)
    return [x.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)]


def _adam(
    network: Network,
    gradients: list[NDArray[np.float64]],
    first: list[NDArray[np.float64]],
    second: list[NDArray[np.float64]],
    step: int,
) -> Network:
    """Take one step of Adam (Kingma and Ba 2015); weights decay, biases do not."""
    moved = []
    for place, (value, gradient) in enumerate(zip(network, gradients, strict=True)):
        slope = gradient + (_DECAY * value if value.ndim == 2 else 0)
        first[place] = 0.9 * first[place] + 0.1 * slope
        second[place] = 0.999 * second[place] + 0.001 * slope**2
        mean, square = first[place] / (1 - 0.9**step), second[place] / (1 - 0.999**step)
        moved.append(value - _RATE * mean / (np.sqrt(square) + 1e-8))
    return Network(*moved)
