"""HOC: the noise transition matrix from labels and neighbors alone, without a single true label.

If a sample and its two nearest neighbors share their true class, their three labels are three
independent draws from one row of the matrix; how often labels occur alone, in pairs and in
triples then determines it.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from adc_core import InputError, Neighbors, progress
from adc_core.records import number_of_classes
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.inputs import as_array, as_labels, as_names, of_type, same_length
from adc_plugins_detect.noise.consensus import Consensus, Fit, Matrix, Vector, fit
from adc_plugins_detect.options import ClassCount, Count, Positive, WholeNumber

DUPLICATE_SIMILARITY = 1 - 1e-6
"""Above it two samples are taken for copies."""

MOST_CLASSES = 20_000
"""With more the transition matrix alone fills the memory of most machines."""

CONFIDENCE = 0.95
"""An interval leaves out equal shares of the resampled estimates on both of its sides."""

_STEPS, _MANY_CLASSES, _STEPS_OF_MANY = 1500, 50, 300
_REFIT_STEPS, _REFIT_RATE = 150, 0.05


class Interval(NamedTuple):
    """How far chance moves an estimate: 95 % of the resampled estimates are within.

    Attributes:
        low: K × K lower ends of the transition matrix.
        high: K × K upper ends.
        prior: 2 × K lower and upper ends of the prior.
        noise_rate: lower and upper end.
    """

    low: Matrix
    high: Matrix
    prior: Matrix
    noise_rate: tuple[float, float]


class TransitionEstimate(NamedTuple):
    """An estimated noise model.

    Attributes:
        transition: K × K, P(given label | true class), row = true class.
        prior: K, shares of the true classes.
        loss: distance between the observed consensus and that of the model.
        interval: bootstrap confidence interval, where one was asked for.
    """

    transition: Matrix
    prior: Vector
    loss: float
    interval: Interval | None = None

    @property
    def noise_rate(self) -> float:
        """Estimated share of wrong labels."""
        return _noise_rate(self.transition, self.prior)

    @property
    def credibility(self) -> float:
        """Of the dataset (Zhu et al., 2023): 1 where all labels are right, 0 at worst."""
        distance = np.linalg.norm(self.transition - np.eye(len(self.prior)))
        return float(1 - distance / np.sqrt(2 * len(self.prior)))


@array_function
def hoc(
    labels: ArrayLike,
    neighbors: Neighbors,
    *,
    n_classes: ClassCount | None = None,
    steps: Count | None = None,
    duplicate_similarity: Positive = DUPLICATE_SIMILARITY,
    bootstrap: WholeNumber = 0,
    seed: WholeNumber = 0,
    classes: Sequence[str] = (),
) -> TransitionEstimate:
    """Estimate the transition matrix by high-order consensus (Zhu, Song and Liu, ICML 2021).

    The estimate is as good as the neighbors: where they are often of another class it
    overestimates the noise. Labels of copies are no independent draws: the two nearest neighbors
    that are copies neither of the sample nor of each other are taken, and samples without such
    are left out. As similar to the sample as each other is taken for being copies.

    Args:
        labels: N given labels.
        neighbors: k-NN graph with at least two neighbors a sample.
        n_classes: K; by default the largest label says. Classes that no sample is labelled with
            keep their labels and have no share.
        steps: steps of the fit; by default 1,500, and 300 for more than 50 classes.
        duplicate_similarity: above this cosine two samples are copies.
        bootstrap: how often to draw the triples of labels anew for a confidence interval; 100
            will do. It covers chance alone, not poor neighbors.
        seed: of these draws.
        classes: K names in the order of their numbers, for warnings, and for labels that are names;
            by default these sorted.

    Raises:
        InputError: another number of labels than of rows, or fewer than two neighbors.

    Warns:
        UserWarning: a true class is estimated to get another class's label most often.
    """
    of_type(neighbors, Neighbors, "neighbors", "nearest_neighbors(features, k)")
    given = as_labels(labels, n_classes)
    same_length(given, neighbors.indices, "neighbors")
    if neighbors.k < 2:
        raise InputError(f"HOC needs 2 neighbors of every sample, the graph has {neighbors.k}")
    similarities = neighbors.similarities
    first = (similarities > duplicate_similarity).sum(axis=1)
    nearest = np.take_along_axis(similarities, first.clip(max=neighbors.k - 1)[:, None], axis=1)
    alike = similarities > nearest - (1 - duplicate_similarity)
    second = np.maximum(first + 1, alike.sum(axis=1))
    rows = np.flatnonzero(second < neighbors.k)
    if not len(rows):
        raise InputError(
            "no sample has two neighbors that are not copies: "
            "search more neighbors, or raise duplicate_similarity"
        )
    first = neighbors.indices[rows, first[rows]]
    second = neighbors.indices[rows, second[rows]]
    votes = np.stack([given[rows], given[first], given[second]], axis=1)
    K = n_classes or number_of_classes(given)
    return transition_from_votes(
        votes, n_classes=K, steps=steps, bootstrap=bootstrap, seed=seed, classes=classes
    )


@array_function
def transition_from_votes(
    votes: ArrayLike,
    *,
    n_classes: ClassCount | None = None,
    steps: Count | None = None,
    bootstrap: WholeNumber = 0,
    seed: WholeNumber = 0,
    classes: Sequence[str] = (),
) -> TransitionEstimate:
    """Estimate the transition matrix from three labels of every sample, such as three raters'.

    Args:
        votes: N × 3 labels.
        n_classes: K; by default the largest label says.
        steps: steps of the fit; by default 1,500, and 300 for more than 50 classes.
        bootstrap: how often to draw the samples anew for a confidence interval.
        seed: of these draws.
        classes: K names in the order of their numbers, for warnings, and for labels that are names;
            by default these sorted.

    Raises:
        InputError: not three labels a sample.

    Warns:
        UserWarning: a true class is estimated to get another class's label most often.
    """
    table = as_array(votes, "votes")
    if table.ndim != 2 or table.shape[1] != 3:
        raise InputError(f"votes: expected N × 3 labels, got {table.shape}")
    flat = as_labels(table.ravel(), n_classes).reshape(-1, 3)
    K = n_classes or number_of_classes(flat)
    if K > MOST_CLASSES:
        raise InputError(
            f"{K:,} classes need a transition matrix of {8 * K**2 / 1e9:,.0f} GB: "
            f"estimate it for {MOST_CLASSES:,} at most"
        )
    names = as_names(classes, K)
    shares = np.bincount(flat.ravel(), minlength=K)
    # A class that nobody names would be used up as a spare; the others are fitted by size, so
    # that the order of classes does not matter.
    by_size = np.lexsort((np.bincount(flat[:, 0], minlength=K), shares))
    named = by_size[shares[by_size] > 0]
    place = np.full(K, -1)
    place[named] = np.arange(len(named))
    if steps is None:
        steps = _STEPS if len(named) <= _MANY_CLASSES else _STEPS_OF_MANY
    with threadpool_limits(1, "blas"):  # so that any number of threads adds alike
        triples, counts = Consensus.triples_of(place[flat], len(named))
        fitted = fit(Consensus.of(triples, counts / len(flat), len(named)), steps)
        resampled = [
            _spread(again, named, K) for again in _refits(triples, counts, fitted, bootstrap, seed)
        ]
    transition, prior = _spread(fitted, named, K)
    astray = transition.argmax(axis=1) != np.arange(K)
    if astray.any():
        k = int(astray.argmax())
        label = int(transition[k].argmax())
        own, other = names[k], names[label]
        warnings.warn(
            f"HOC estimates that class {own} is labelled {other} more often than {own}: "
            "the neighbors are too poor, or the labels too noisy, to trust the transition matrix",
            stacklevel=3,
        )
    interval = _interval(resampled) if resampled else None
    return TransitionEstimate(transition, prior, fitted.loss, interval)


def _refits(
    triples: NDArray[np.int64], counts: NDArray[np.int64], fitted: Fit, times: int, seed: int
) -> Iterator[Fit]:
    """Fit to samples drawn anew; each fit begins at the fit to all."""
    random = np.random.default_rng(seed)
    for done in range(times):
        drawn = random.multinomial(counts.sum(), counts / counts.sum())
        some = np.flatnonzero(drawn)
        consensus = Consensus.of(triples[some], drawn[some] / drawn.sum(), len(fitted.prior))
        yield fit(consensus, _REFIT_STEPS, fitted, _REFIT_RATE)
        progress(done + 1, times, "resample")


def _spread(fitted: Fit, named: NDArray[np.int64], n_classes: int) -> tuple[Matrix, Vector]:
    """Spread a fit of the named classes over all classes."""
    transition, prior = np.eye(n_classes), np.zeros(n_classes)
    transition[np.ix_(named, named)], prior[named] = fitted.transition, fitted.prior
    return transition, prior


def _interval(resampled: list[tuple[Matrix, Vector]]) -> Interval:
    ends = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low, high = np.quantile([transition for transition, _ in resampled], ends, axis=0)
    rates = np.quantile([_noise_rate(*one) for one in resampled], ends)
    prior = np.quantile([prior for _, prior in resampled], ends, axis=0)
    return Interval(low, high, prior, (float(rates[0]), float(rates[1])))


def _noise_rate(transition: Matrix, prior: Vector) -> float:
    return float(np.clip(1 - prior @ transition.diagonal(), 0, 1))
