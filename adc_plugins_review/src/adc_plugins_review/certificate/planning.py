"""What to show in a review: how many of the suspicious samples, how many others, in which order.

Wrong beliefs make a bound wider, never invalid.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from adc_core import Findings
from adc_plugins_review.certificate.bounds import exact_upper

VOTES_PER_ITEM = {"one-then-two": 1.15, "1": 1.0, "3": 3.0}
"""Votes that a sample costs; of one-then-two where one in fifteen is doubted."""

_MIX = 0.7
"""Share of the sampling weight that all samples have alike."""

_WORTH = 0.01
"""More repairs must make the mean bound so much narrower, as a share of it."""


class Repairs(NamedTuple):
    """How the samples that people look at are divided.

    Attributes:
        repaired: the most suspicious ones, to find wrong labels.
        drawn: random ones of the others, to measure.
        mean_found: wrong ones expected among these.
        mean_bound: expected upper bound of the share of wrong labels left.
    """

    repaired: int
    drawn: int
    mean_found: float
    mean_bound: float


def items_of_budget(votes: int, rule: Literal["one-then-two", "1", "3"]) -> int:
    """Return how many samples so many votes judge."""
    return int(votes / VOTES_PER_ITEM[rule])


def believed_rate(findings: Sequence[Findings], changed: float) -> float:
    """Guess the share of wrong labels from what detectors say, for planning alone.

    Args:
        findings: of a run.
        changed: share of the samples that its curators have changed already.

    Returns:
        The mean of the noise rates less what was changed, at least half a percent; 5 % where no
        detector says anything.
    """
    rates = [found.noise_rate for found in findings if found.noise_rate is not None]
    return max(0.005, float(np.mean(rates)) - changed) if rates else 0.05


def expected_errors(population: int, rate: float, auc: float) -> NDArray[np.float64]:
    """Model the chance of a wrong label by rank of suspicion, the most suspicious first.

    The share f of the most suspicious samples is taken to hold the share f^b of the wrong ones,
    with b = (1 - auc) / auc, so that the area under the curve is `auc`. None is above one half, and
    the mean is `rate` where that allows it.
    """
    b = (1 - auc) / auc
    rank = (np.arange(population) + 0.5) / population
    chance = np.minimum(0.5, rate * b * rank ** (b - 1))
    mean = chance.mean()
    return np.minimum(0.5, chance * rate / mean) if mean > 0 else chance


def sampling_weights(expected: ArrayLike) -> NDArray[np.float64]:
    """Weigh samples for an audit that is looked at at any time: more where more is expected."""
    chance = np.asarray(expected, np.float64)
    mean = chance.mean()
    return _MIX + (1 - _MIX) * chance / mean if mean > 0 else np.ones(len(chance))


def weighted_order(uniforms: ArrayLike, weights: ArrayLike) -> NDArray[np.int64]:
    """Draw all samples one after the other, each by its weight among those that are left.

    Args:
        uniforms: M random numbers in 0…1, one for each sample.
        weights: M weights above 0.

    Returns:
        M places, the first drawn first (Efraimidis and Spirakis 2006).
    """
    with np.errstate(divide="ignore"):
        return np.argsort(-np.log(np.asarray(uniforms)) / np.asarray(weights), kind="stable")


def audit_weights(
    order: ArrayLike, rate: float, auc: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weigh the samples of a dataset for an audit that is looked at at any time.

    Args:
        order: N rows, the most suspicious first.
        rate: share of wrong labels, as believed.
        auc: area under the curve of the suspicion, as believed.

    Returns:
        The weight and the chance of being judged wrong of each row, N each.
    """
    ranked = np.asarray(order)
    by_rank = expected_errors(len(ranked), rate, auc)
    expected, weights = np.empty(len(ranked)), np.empty(len(ranked))
    expected[ranked], weights[ranked] = by_rank, sampling_weights(by_rank)
    return weights, expected


def weights_digest(weights: ArrayLike) -> str:
    """Return the SHA-256 of N sampling weights, which the plan of a review holds."""
    return sha256(np.ascontiguousarray(weights, np.float64).tobytes()).hexdigest()


def choose_repairs(
    population: int, items: int, rate: float, auc: float = 0.8, alpha: float = 0.05
) -> Repairs:
    """Choose how many of the most suspicious samples to look at, so that the bound will be least.

    The fewest for which the expected bound is within 1 % of the least.

    Args:
        population: samples under review.
        items: samples that people can look at.
        rate: share of wrong labels, as believed.
        auc: area under the curve of the suspicion, as believed.
        alpha: chance of error of the bound.
    """
    choices = [
        _planned(population, items, min(population - 1, round(share * items)), rate, auc, alpha)
        for share in np.arange(0, 0.76, 0.05)
    ]
    least = min(choice.mean_bound for choice in choices)
    return next(choice for choice in choices if choice.mean_bound <= least * (1 + _WORTH))


def _planned(
    population: int, items: int, repaired: int, rate: float, auc: float, alpha: float
) -> Repairs:
    rest = population - repaired
    drawn = min(rest, items - repaired)
    left = rate * population * (1 - (repaired / population) ** ((1 - auc) / auc))
    chance = min(1.0, left / rest)
    low, high = (int(stats.binom.ppf(q, drawn, chance)) for q in (1e-3, 1 - 1e-3))
    found = np.arange(low, high + 1)
    likely = stats.binom.pmf(found, drawn, chance)
    bounds = np.array([exact_upper(rest, drawn, int(x), alpha) - x for x in found]) / population
    mean = float((likely * bounds).sum() / likely.sum())
    return Repairs(repaired, drawn, drawn * chance, mean)
