"""Dawid and Skene: the true classes and what each rater makes of them, by EM."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from adc_core import InputError
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
    said = _by_rater_and_answer(votes)
    while True:
        prior = posterior[voted].mean(axis=0)
        confusion = _confusion(said, votes, posterior, smoothing)
        log_confusion = np.log(np.maximum(confusion, TINY)).transpose(0, 2, 1).reshape(-1, K)
        posterior, total = normalized(said @ log_confusion + np.log(np.maximum(prior, TINY)))
        history.append(float(total[voted].sum()))
        if len(history) >= steps or settled(history, tolerance):
            return DawidSkeneResult(posterior, prior, confusion, tuple(history))


def _by_rater_and_answer(votes: VoteArrays) -> csr_array:
    """Put the votes into a sparse matrix, N × (R · A), so that a step is two products with it."""
    columns = votes.rater * votes.answers + votes.label
    ones, shape = np.ones(len(columns)), (votes.items, votes.raters * votes.answers)
    return csr_array((ones, (votes.item, columns)), shape=shape)


def _confusion(
    said: csr_array, votes: VoteArrays, posterior: NDArray[np.float64], smoothing: float
) -> NDArray[np.float64]:
    """Estimate R × K × A confusions from the posterior of the true classes."""
    K, A, R = posterior.shape[1], votes.answers, votes.raters
    confusion = (said.T @ posterior).reshape(R, A, K).transpose(0, 2, 1) + smoothing
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
    most = logs.max(axis=1, keepdims=True)
    weights: NDArray[np.float64] = np.exp(logs - most)
    total = weights.sum(axis=1, keepdims=True)
    weights /= total
    return weights, (most + np.log(total))[:, 0]
