"""CROWDLAB: votes and a classifier, each weighed by how far it can be trusted."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError
from adc_plugins_review.aggregation.majority import majority
from adc_plugins_review.aggregation.vote_arrays import VoteArrays, vote_arrays

_FLOOR = 1e-6


class CrowdlabResult(NamedTuple):
    """What the ensemble of raters and classifier says.

    Attributes:
        consensus: N int64 class indices; of an item without votes the classifier's.
        quality: N posteriors of the consensus: how likely it is right.
        posterior: N × K.
        rater_quality: R figures in 0…1, NaN for a rater whose items nobody else has seen.
        rater_weight: R weights.
        model_weight: of the classifier.
        active: N scores: the smaller, the more another vote is worth (ActiveLab). cleanlab scales
            the temperature of the probabilities before; here they count as they are.
        majority: N int64, where it began.
        agreement: N shares of the votes that agree with the consensus; NaN without votes.
    """

    consensus: NDArray[np.int64]
    quality: NDArray[np.float64]
    posterior: NDArray[np.float64]
    rater_quality: NDArray[np.float64]
    rater_weight: NDArray[np.float64]
    model_weight: float
    active: NDArray[np.float64]
    majority: NDArray[np.int64]
    agreement: NDArray[np.float64]


class _Ensemble(NamedTuple):
    posterior: NDArray[np.float64]
    weight: NDArray[np.float64]
    model: float
    agreement: NDArray[np.float64]


def crowdlab(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    probabilities: ArrayLike,
    *,
    raters: int | None = None,
) -> CrowdlabResult:
    """Combine votes with out-of-sample predictions (Goh, Tkachenko and Mueller 2022).

    The figures are those of cleanlab, but that ties which neither the classifier nor the frequency
    of the classes decides go to the lowest index, not to chance. Scores for another vote are those
    of ActiveLab (Goh and Mueller 2023).

    Args:
        item: V row numbers of the items.
        rater: V numbers of the raters.
        label: V class indices.
        probabilities: N × K predictions of a model that has not seen the votes on the item.
        raters: how many raters there are; by default up to the last one who has voted.

    Raises:
        InputError: arrays of other lengths or out of range, or each item has one vote at most.
    """
    predicted = np.asarray(probabilities, np.float64)
    if predicted.ndim != 2 or predicted.shape[1] < 2:
        raise InputError(f"probabilities are {predicted.shape}: give N items × K classes")
    N, K = predicted.shape
    votes = vote_arrays(item, rater, label, N, raters, K)
    counts = votes.counts()
    number = counts.sum(axis=1)
    if not (number > 1).any():
        raise InputError("no item has two votes: nothing is known of the raters")
    first = majority(
        votes.item,
        votes.rater,
        votes.label,
        items=N,
        classes=K,
        ties="probabilities",
        probabilities=predicted,
    ).label
    first = np.where(first < 0, predicted.argmax(axis=1), first)
    ensemble = _ensemble(votes, counts, predicted, first)
    top = ensemble.posterior == ensemble.posterior.max(axis=1, keepdims=True)
    single = top.sum(axis=1) == 1
    consensus = np.where(single, ensemble.posterior.argmax(axis=1), first)
    ensemble = _ensemble(votes, counts, predicted, consensus)
    quality = ensemble.posterior[np.arange(N), consensus]
    return CrowdlabResult(
        consensus=consensus,
        quality=quality,
        posterior=ensemble.posterior,
        rater_quality=_rater_quality(votes, number, ensemble, consensus),
        rater_weight=ensemble.weight,
        model_weight=ensemble.model,
        active=_active(votes, ensemble, quality),
        majority=first,
        agreement=ensemble.agreement,
    )


def _ensemble(
    votes: VoteArrays,
    counts: NDArray[np.float64],
    predicted: NDArray[np.float64],
    consensus: NDArray[np.int64],
) -> _Ensemble:
    """Weigh raters and classifier by their errors against a consensus, and add them up."""
    N, K = counts.shape
    number = counts.sum(axis=1)
    several = number > 1
    with np.errstate(invalid="ignore"):
        agreement = counts[np.arange(N), consensus] / number
    likely = agreement[several].mean()
    unlikely = (1 - likely) / (K - 1)
    given = consensus[several]
    usual = np.bincount(given, minlength=K).argmax()
    baseline = max(float(np.mean(given != usual)), _FLOOR)
    used = several[votes.item]
    others = counts[votes.item, votes.label] - 1
    agreeing = np.bincount(votes.rater[used], others[used], minlength=votes.raters)
    pairs = np.bincount(votes.rater[used], number[votes.item][used] - 1, minlength=votes.raters)
    known = pairs > 0
    peers = np.divide(agreeing, pairs, out=np.zeros(votes.raters), where=known)
    peers[~known] = peers[known].mean()
    weight = np.maximum(1 - (1 - peers) / baseline, _FLOOR)
    error = float(np.mean(predicted[several].argmax(axis=1) != given))
    mean_number = number[number > 0].mean()
    model = max(1 - error / baseline, _FLOOR) * math.sqrt(mean_number)
    own = weight[votes.rater]
    posterior = predicted * model
    posterior += np.bincount(votes.item, own * unlikely, minlength=N)[:, None]
    places = votes.item * K + votes.label
    posterior += np.bincount(places, own * (likely - unlikely), minlength=N * K).reshape(N, K)
    total = model + np.bincount(votes.item, own, minlength=N)
    return _Ensemble(posterior / total[:, None], weight, model, agreement)


def _rater_quality(
    votes: VoteArrays,
    number: NDArray[np.float64],
    ensemble: _Ensemble,
    consensus: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Mix how probable a rater's labels are with how often they are the consensus."""
    R, rater = votes.raters, votes.rater
    used = (number > 1)[votes.item]
    own = ensemble.posterior[votes.item, votes.label]
    agrees = (votes.label == consensus[votes.item]).astype(np.float64)
    with np.errstate(invalid="ignore"):
        probable = np.bincount(rater, own, minlength=R) / np.bincount(rater, minlength=R)
        agreeing = np.bincount(rater[used], agrees[used], minlength=R) / np.bincount(
            rater[used], minlength=R
        )
    people = ensemble.weight.sum() * number[number > 0].mean() / R
    share = ensemble.model / (ensemble.model + people)
    quality: NDArray[np.float64] = share * probable + (1 - share) * agreeing
    return quality


def _active(
    votes: VoteArrays, ensemble: _Ensemble, quality: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Guess the quality after one more vote of an average rater who knows nothing."""
    people = np.bincount(votes.item, ensemble.weight[votes.rater], minlength=votes.items)
    own = people + ensemble.model
    mean = ensemble.weight.mean()
    K = ensemble.posterior.shape[1]
    scores: NDArray[np.float64] = (own * quality + mean / K) / (own + mean)
    return scores
