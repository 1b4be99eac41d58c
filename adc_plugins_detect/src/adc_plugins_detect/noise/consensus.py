"""Consensus: how often labels occur alone, in pairs and in triples, and the model nearest to it."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from adc_core import progress
from adc_core.arrays import Array

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_BLOCK_ENTRIES = 1 << 22


class Fit(NamedTuple):
    """A noise model fitted to a consensus.

    Attributes:
        transition: K × K, P(given label | true class), row = true class.
        prior: K, shares of the true classes.
        loss: distance between the consensus and that of the model.
    """

    transition: Matrix
    prior: Vector
    loss: float


@dataclass(frozen=True)
class Consensus:
    """How often labels occur alone, in pairs and in triples.

    Triples are kept sparsely, for there are at most N of them but K³ cells.

    Attributes:
        first: K shares of labels.
        second: K × K shares of pairs.
        square: sum of the squared shares of triples.
        pairs: q × 2 labels that occur together in some triple, in any order.
        triples: K × q: triples made symmetric, over the third label and the pair.
    """

    first: Vector
    second: Matrix
    square: float
    pairs: NDArray[np.int64]
    triples: csr_array

    @staticmethod
    def triples_of(
        votes: NDArray[np.int64], n_classes: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the distinct rows of N × 3 labels, and how often each occurs."""
        codes = (votes[:, 0] * n_classes + votes[:, 1]) * n_classes + votes[:, 2]
        distinct, counts = np.unique(codes, return_counts=True)
        pair, c = np.divmod(distinct, n_classes)
        return np.stack([*np.divmod(pair, n_classes), c], axis=1), counts

    @classmethod
    def of(cls, triples: NDArray[np.int64], shares: Vector, n_classes: int) -> Self:
        """Make a consensus from distinct triples and the share of each."""
        K = n_classes
        a, b, c = triples.T
        first = np.bincount(a, shares, K).astype(np.float64)
        second = np.bincount(a * K + b, shares, K * K).astype(np.float64).reshape(K, K)
        # Any of the three labels is the third one with a share of one in three.
        alone = np.concatenate([a, b, c])
        pair = np.concatenate([b * K + c, a * K + c, a * K + b])
        distinct, column = np.unique(pair, return_inverse=True)
        weights = np.tile(shares / 3, 3)
        return cls(
            first=first,
            second=second,
            square=float(shares @ shares),
            pairs=np.stack(np.divmod(distinct, K), axis=1),
            triples=csr_array((weights, (alone, column)), shape=(K, len(distinct))),
        )

    def distance(self, transition: Matrix, prior: Vector) -> tuple[float, Matrix, Vector]:
        """Compute the distance to a model's consensus, and its gradients by transition and prior.

        It is the sum of the Frobenius norms of the three differences. That of the triples is
        |c|² - 2 c·e + |e|², where neither the model's K³ cells nor the data's are formed.
        """
        T, p = transition, prior
        weighted = p[:, None] * T
        one = p @ T - self.first
        two = T.T @ weighted - self.second
        product = T @ T.T
        cubes = product**3 @ p
        contracted = self._contract(T)
        along = (contracted * T).sum(axis=1)
        squares = [one @ one, (two * two).sum(), self.square - 2 * p @ along + p @ cubes]
        norms = np.sqrt(np.maximum(squares, 1e-30))
        by_prior = T @ one / norms[0]
        by_prior += ((T @ two) * T).sum(axis=1) / norms[1]
        by_prior += (cubes - along) / norms[2]
        by_transition = np.outer(p, one) / norms[0]
        by_transition += weighted @ (two + two.T) / norms[1]
        by_transition += 3 * p[:, None] * ((product**2 * p) @ T - contracted) / norms[2]
        return float(norms.sum()), by_transition, by_prior

    def _contract(self, T: Matrix) -> Matrix:
        """Contract the symmetric triples twice with each row of a matrix: K × K."""
        out = np.empty_like(T)
        one, other = self.pairs.T
        step = max(1, _BLOCK_ENTRIES // len(self.pairs))
        for start in range(0, len(T), step):
            rows = T[start : start + step].T
            out[start : start + step] = (self.triples @ (rows[one] * rows[other])).T
        return out


def fit(consensus: Consensus, steps: int, start: Fit | None = None, rate: float = 0.1) -> Fit:
    """Fit the transition matrix and prior whose consensus is nearest: Adam, its best step.

    Starting from a matrix with a strong diagonal matters: renaming the true classes changes no
    consensus, and the start decides which of the equivalent solutions is found. Steps shorten
    linearly, because norms have edges about which steps of one length jump for ever.

    Args:
        consensus: what was counted.
        steps: how many.
        start: where to begin, instead of the strong diagonal.
        rate: length of the first step.
    """
    K = len(consensus.first)
    logits = np.vstack([5 * np.eye(K) - 1, np.zeros(K)])
    if start is not None:
        logits = np.log(np.vstack([start.transition, start.prior]).clip(min=1e-9))
    best = Fit(np.eye(K), np.full(K, 1 / K), np.inf)
    mean, square = np.zeros_like(logits), np.zeros_like(logits)
    for step in range(1, steps + 1):
        T, p = _softmax(logits[:K]), _softmax(logits[K])
        loss, by_transition, by_prior = consensus.distance(T, p)
        if loss < best.loss:
            best = Fit(T, p, loss)
        slope = np.vstack([by_transition, by_prior])
        softmax = np.vstack([T, p])
        slope = softmax * (slope - (slope * softmax).sum(axis=1, keepdims=True))
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        spread = np.sqrt(square / (1 - 0.999**step)) + 1e-8
        logits = logits - rate * (1 - step / steps) * mean / (1 - 0.9**step) / spread
        if start is None:
            progress(step, steps, "step")
    return best


def _softmax(logits: Array) -> Array:
    powers: Array = np.exp(logits - logits.max(axis=-1, keepdims=True))
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers
