"""HOC: the noise transition matrix from labels and neighbours alone, without a single true label.

If a sample and its two nearest neighbours share their true class, their three labels are three
independent draws from one row of the matrix; how often labels occur alone, in pairs and in
triples then determines it.
"""

import warnings
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from adc_core.arrays import Array
from adc_core.errors import InputError
from adc_core.evidence import Neighbours
from adc_core.work import progress
from adc_plugins_detect.inputs import as_labels, same_length

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

DUPLICATE_SIMILARITY = 1 - 1e-6
"""Above it two samples are taken for copies."""

_RATE = 0.1
_BLOCK_ENTRIES = 1 << 22


class TransitionEstimate(NamedTuple):
    """An estimated noise model.

    Attributes:
        transition: K × K, P(given label | true class), row = true class.
        prior: K, shares of the true classes.
        loss: distance between the observed consensus and that of the model.
    """

    transition: Matrix
    prior: Vector
    loss: float

    @property
    def noise_rate(self) -> float:
        """Estimated share of wrong labels."""
        return float(np.clip(1 - self.prior @ self.transition.diagonal(), 0, 1))


def hoc(
    labels: ArrayLike,
    neighbours: Neighbours,
    *,
    n_classes: int | None = None,
    steps: int = 1500,
    duplicate_similarity: float = DUPLICATE_SIMILARITY,
) -> TransitionEstimate:
    """Estimate the transition matrix by high-order consensus (Zhu, Song and Liu, ICML 2021).

    The estimate is as good as the neighbours: where they are often of another class it
    overestimates the noise. Labels of copies are no independent draws: the two nearest neighbours
    that are copies neither of the sample nor of each other are taken, and samples without such
    are left out. As similar to the sample as each other is taken for being copies.

    Args:
        labels: N given labels.
        neighbours: k-NN graph with at least two neighbours a sample.
        n_classes: K; by default the largest label says. Classes that no sample is labelled with
            keep their labels and have no share.
        steps: steps of the fit; a few hundred do for a hundred classes.
        duplicate_similarity: above this cosine two samples are copies.

    Raises:
        InputError: another number of labels than of rows, or fewer than two neighbours.

    Warns:
        UserWarning: a true class is estimated to get another class's label most often.
    """
    given = as_labels(labels, n_classes)
    same_length(given, neighbours.indices, "neighbours")
    if neighbours.k < 2:
        raise InputError(f"HOC needs 2 neighbours of every sample, the graph has {neighbours.k}")
    similarities = neighbours.similarities
    first = (similarities > duplicate_similarity).sum(axis=1)
    nearest = np.take_along_axis(similarities, first.clip(max=neighbours.k - 1)[:, None], axis=1)
    alike = similarities > nearest - (1 - duplicate_similarity)
    second = np.maximum(first + 1, alike.sum(axis=1))
    rows = np.flatnonzero(second < neighbours.k)
    if not len(rows):
        raise InputError(
            "no sample has two neighbours that are not copies: "
            "search more neighbours, or raise duplicate_similarity"
        )
    first = neighbours.indices[rows, first[rows]]
    second = neighbours.indices[rows, second[rows]]
    votes = np.stack([given[rows], given[first], given[second]], axis=1)
    return transition_from_votes(votes, n_classes=n_classes or int(given.max()) + 1, steps=steps)


def transition_from_votes(
    votes: ArrayLike, *, n_classes: int | None = None, steps: int = 1500
) -> TransitionEstimate:
    """Estimate the transition matrix from three labels of every sample, such as three raters'.

    Args:
        votes: N × 3 labels.
        n_classes: K; by default the largest label says.
        steps: steps of the fit.

    Raises:
        InputError: not three labels a sample.

    Warns:
        UserWarning: a true class is estimated to get another class's label most often.
    """
    table = np.asarray(votes)
    if table.ndim != 2 or table.shape[1] != 3:
        raise InputError(f"votes: expected N × 3 labels, got {table.shape}")
    flat = as_labels(table.ravel(), n_classes).reshape(-1, 3)
    K = n_classes or int(flat.max()) + 1
    shares = np.bincount(flat.ravel(), minlength=K)
    # A class that nobody names would be used up as a spare; the others are fitted by size, so
    # that the order of classes does not matter.
    by_size = np.lexsort((np.bincount(flat[:, 0], minlength=K), shares))
    named = by_size[shares[by_size] > 0]
    place = np.full(K, -1)
    place[named] = np.arange(len(named))
    with threadpool_limits(1, "blas"):  # so that any number of threads adds alike
        fitted = fit(Consensus.count(place[flat], len(named)), steps)
    transition, prior = np.eye(K), np.zeros(K)
    transition[np.ix_(named, named)], prior[named] = fitted.transition, fitted.prior
    estimate = TransitionEstimate(transition, prior, fitted.loss)
    labelled_as = transition.argmax(axis=1)
    if (astray := labelled_as != np.arange(len(labelled_as))).any():
        k = int(astray.argmax())
        warnings.warn(
            f"HOC estimates that class {k} is labelled {labelled_as[k]} more often than {k}: "
            "the neighbours are too poor, or the labels too noisy, to trust the transition matrix",
            stacklevel=2,
        )
    return estimate


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

    @classmethod
    def count(cls, votes: NDArray[np.int64], n_classes: int) -> Self:
        """Count N × 3 labels."""
        codes = (votes[:, 0] * n_classes + votes[:, 1]) * n_classes + votes[:, 2]
        distinct, counts = np.unique(codes, return_counts=True)
        pair, c = np.divmod(distinct, n_classes)
        triples = np.stack([*np.divmod(pair, n_classes), c], axis=1)
        return cls.of(triples, counts / len(votes), n_classes)

    @classmethod
    def of(cls, triples: NDArray[np.int64], shares: Vector, n_classes: int) -> Self:
        """From distinct triples and the share of each."""
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
        """Distance to a model's consensus, and its gradients by transition and by prior.

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
        """K × K: the symmetric triples contracted twice with each row of a matrix."""
        out = np.empty_like(T)
        one, other = self.pairs.T
        step = max(1, _BLOCK_ENTRIES // len(self.pairs))
        for start in range(0, len(T), step):
            rows = T[start : start + step].T
            out[start : start + step] = (self.triples @ (rows[one] * rows[other])).T
        return out


def fit(consensus: Consensus, steps: int) -> TransitionEstimate:
    """The transition matrix and prior whose consensus is nearest: Adam, the best of its steps.

    Starting from a matrix with a strong diagonal matters: renaming the true classes changes no
    consensus, and the start decides which of the equivalent solutions is found. Steps shorten
    linearly, because norms have edges about which steps of one length jump for ever.
    """
    K = len(consensus.first)
    logits = np.vstack([5 * np.eye(K) - 1, np.zeros(K)])
    best = TransitionEstimate(np.eye(K), np.full(K, 1 / K), np.inf)
    mean, square = np.zeros_like(logits), np.zeros_like(logits)
    for step in range(1, steps + 1):
        T, p = _softmax(logits[:K]), _softmax(logits[K])
        loss, by_transition, by_prior = consensus.distance(T, p)
        if loss < best.loss:
            best = TransitionEstimate(T, p, loss)
        slope = np.vstack([by_transition, by_prior])
        softmax = np.vstack([T, p])
        slope = softmax * (slope - (slope * softmax).sum(axis=1, keepdims=True))
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        spread = np.sqrt(square / (1 - 0.999**step)) + 1e-8
        rate = _RATE * (1 - step / steps)
        logits = logits - rate * mean / (1 - 0.9**step) / spread
        progress(step, steps, "step")
    return best


def _softmax(logits: Array) -> Array:
    powers: Array = np.exp(logits - logits.max(axis=-1, keepdims=True))
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers
