"""Dawid and Skene: the true classes and what each rater makes of them, by EM."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from adc_core import InputError
from adc_core.arrays import chunks
from adc_plugins_review.aggregation.vote_arrays import (
    VoteArrays,
    refuse_single_votes,
    vote_arrays,
)

TINY = 1e-300


class DawidSkeneResult(NamedTuple):
    """What EM finds.

    Attributes:
        posterior: N × K probabilities of the true class; the prior where an item has no vote.
        prior: K shares of the classes.
        confusion: R × K × A: how often a rater answers a to class k; rows sum to one.
        log_likelihoods: of the votes after each step, which never fall but for the smoothing.
    """

    posterior: NDArray[np.float64]
    prior: NDArray[np.float64]
    confusion: NDArray[np.float64]
    log_likelihoods: tuple[float, ...]


def dawid_skene(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    *,
    items: int | None = None,
    raters: int | None = None,
    classes: int | None = None,
    answers: int | None = None,
    start: ArrayLike | None = None,
    smoothing: float = 0.01,
    tolerance: float = 1e-10,
    steps: int = 500,
) -> DawidSkeneResult:
    """Estimate true classes and each rater's confusion from votes (Dawid and Skene 1979).

    EM from the shares of the votes, with logarithms throughout. No memory beyond the votes, N × K
    and R × K × A is needed.

    Args:
        item: V row numbers of the items.
        rater: V numbers of the raters.
        label: V answers.
        items: how many items there are; by default up to the last one that has a vote.
        raters: how many raters.
        classes: K, how many true classes; by default as many as there are answers.
        answers: A, how many answers a rater may give; by default K.
        start: N × K probabilities to begin with; needed where answers are no classes.
        smoothing: added to each cell of a rater's confusion before its rows are normalised.
        tolerance: EM stops where the log-likelihood changes by less than this share of it.
        steps: EM stops after so many.

    Raises:
        InputError: arrays of other lengths or out of range, or each item has one vote.
    """
    votes = vote_arrays(item, rater, label, items, raters, classes if answers is None else answers)
    refuse_single_votes(votes)
    K = votes.answers if classes is None else classes
    posterior = votes.shares() if start is None else np.array(start, np.float64)
    if posterior.shape != (votes.items, K):
        raise InputError(
            f"start is {posterior.shape}: give probabilities of {votes.items} items × {K} classes"
        )
    voted = np.bincount(votes.item, minlength=votes.items) > 0
    history: list[float] = []
    while True:
        prior = posterior[voted].mean(axis=0)
        confusion = _confusion(votes, posterior, smoothing)
        logs = np.tile(np.log(np.maximum(prior, TINY)), (votes.items, 1))
        log_confusion = np.log(np.maximum(confusion, TINY))
        for part in chunks(len(votes.item), 8 * K):
            told = log_confusion[votes.rater[part], :, votes.label[part]]
            add_rows(logs, votes.item[part], told)
        posterior, total = normalized(logs)
        history.append(float(total[voted].sum()))
        if len(history) >= steps or settled(history, tolerance):
            return DawidSkeneResult(posterior, prior, confusion, tuple(history))


def _confusion(
    votes: VoteArrays, posterior: NDArray[np.float64], smoothing: float
) -> NDArray[np.float64]:
    """Estimate R × K × A confusions from the posterior of the true classes."""
    K, A, R = posterior.shape[1], votes.answers, votes.raters
    cell = votes.rater * A + votes.label
    confusion = np.empty((R, K, A))
    for k in range(K):
        counted = np.bincount(cell, posterior[votes.item, k], minlength=R * A)
        confusion[:, k] = counted.reshape(R, A) + smoothing
    # Without smoothing a class that a rater never saw has no row: any answer is as likely.
    total = confusion.sum(axis=2, keepdims=True)
    shares: NDArray[np.float64] = np.divide(
        confusion, total, out=np.full_like(confusion, 1 / A), where=total > 0
    )
    return shares


def settled(history: list[float], tolerance: float, begun: int = 1) -> bool:
    """Tell whether the last step changed the log-likelihood by hardly anything."""
    if len(history) <= begun:
        return False
    return abs(history[-1] - history[-2]) <= tolerance * abs(history[-2])


def normalized(logs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities of rows of log weights, and the log of each row's sum."""
    total = logsumexp(logs, axis=1, keepdims=True)
    probabilities: NDArray[np.float64] = np.exp(logs - total)
    return probabilities, total[:, 0]


def add_rows(
    table: NDArray[np.float64], rows: NDArray[np.int64], values: NDArray[np.float64]
) -> None:
    """Add rows of values to rows of a table, several to the same one."""
    for column in range(table.shape[1]):
        table[:, column] += np.bincount(rows, values[:, column], minlength=len(table))
