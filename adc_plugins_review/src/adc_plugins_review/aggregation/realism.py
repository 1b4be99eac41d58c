"""Whether votes look like people's: errors that stick to items and to pairs of classes."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from adc_core import InputError
from adc_plugins_review.aggregation.agreement import krippendorff_alpha


class Realism(NamedTuple):
    """Figures of the errors of items.

    Attributes:
        overall_error: share of the votes that are wrong.
        item_error_sd: standard deviation of the items' shares of wrong votes.
        binomial_sd: the same if all items were equally hard.
        overdispersion: the first of these by the second; about 1 for coins.
        skewness: of the items' errors.
        binomial_skewness: the same if all items were equally hard.
        mean_entropy: of the items' votes, in nats.
        entropy_skewness: its skewness.
        share_without_error: of the items.
        share_mostly_wrong: share of the items with more than half of the votes wrong.
        intraclass_correlation: of being wrong, of two votes on an item; about 0 for coins.
        alpha: Krippendorff's.
    """

    overall_error: float
    item_error_sd: float
    binomial_sd: float
    overdispersion: float
    skewness: float
    binomial_skewness: float
    mean_entropy: float
    entropy_skewness: float
    share_without_error: float
    share_mostly_wrong: float
    intraclass_correlation: float
    alpha: float


class Confusions(NamedTuple):
    """Whether wrong votes are spread evenly over the other classes.

    Attributes:
        chi_square: against equal shares within each true class.
        freedom: its degrees of freedom.
        log10_p: log of the probability of as large a value by chance.
        cramer_v: 0 even … 1 each class is taken for one other one.
        confusion: K × K shares of the votes, row = true class; NaN where a class has none.
    """

    chi_square: float
    freedom: int
    log10_p: float
    cramer_v: float
    confusion: NDArray[np.float64]


def realism(counts: ArrayLike, truth: ArrayLike) -> Realism:
    """Describe how wrong votes are spread over items (after Gu et al. 2023, section 2.3).

    People find the same items hard: the spread of the items' errors is wider than the binomial
    one, and two votes on an item are wrong together. Independent flipping has neither.

    Args:
        counts: N × K votes; items without any are left out.
        truth: N true classes; items of an unknown one, below 0, are left out.

    Raises:
        InputError: other shapes, or fewer than two items with votes and a true class.
    """
    table, true = _known(counts, truth)
    votes = table.sum(axis=1)
    wrong = votes - table[np.arange(len(table)), true]
    error = wrong / votes
    mean = float(wrong.sum() / votes.sum())
    shares = table / votes[:, None]
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)
    binomial_sd = math.sqrt(mean * (1 - mean) * float((1 / votes).mean()))
    sd = float(error.std())
    return Realism(
        overall_error=mean,
        item_error_sd=sd,
        binomial_sd=binomial_sd,
        overdispersion=_ratio(sd, binomial_sd),
        skewness=_skewness(error),
        binomial_skewness=_ratio(1 - 2 * mean, math.sqrt(float(votes.mean()) * mean * (1 - mean))),
        mean_entropy=float(entropy.mean()),
        entropy_skewness=_skewness(entropy),
        share_without_error=float((wrong == 0).mean()),
        share_mostly_wrong=float((error > 0.5).mean()),
        intraclass_correlation=_intraclass(votes, error, mean),
        alpha=krippendorff_alpha(table),
    )


def off_diagonal_test(counts: ArrayLike, truth: ArrayLike) -> Confusions:
    """Test whether wrong votes go to some classes rather than to others.

    Args:
        counts: N × K votes.
        truth: N true classes; items of an unknown one, below 0, are left out.

    Raises:
        InputError: other shapes, or no item with votes and a true class.
    """
    table, true = _known(counts, truth)
    K = table.shape[1]
    sums = np.stack([np.bincount(true, table[:, k], minlength=K) for k in range(K)], axis=1)
    with np.errstate(invalid="ignore"):
        confusion = sums / sums.sum(axis=1, keepdims=True)
    off = sums[~np.eye(K, dtype=np.bool_)].reshape(K, K - 1)
    total = off.sum(axis=1)
    if K < 3 or not total.any():
        return Confusions(0.0, 0, 0.0, 0.0, confusion)
    fair = total[:, None] / (K - 1)
    chi = float(np.divide((off - fair) ** 2, fair, where=fair > 0, out=np.zeros_like(off)).sum())
    freedom = int((total > 0).sum()) * (K - 2)
    log_p = float(stats.chi2.logsf(chi, freedom))
    if not math.isfinite(log_p):  # below the smallest number: Wilson and Hilferty's normal one
        spread = 2 / (9 * freedom)
        log_p = float(
            stats.norm.logsf(((chi / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread))
        )
    cramer = math.sqrt(chi / (float(total.sum()) * (K - 2)))
    return Confusions(chi, freedom, log_p / math.log(10), cramer, confusion)


def _known(counts: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    table, true = np.asarray(counts, np.float64), np.asarray(truth, np.int64)
    if table.ndim != 2 or true.shape != table.shape[:1]:
        raise InputError(f"counts are {table.shape} and truth {true.shape}: give N × K and N")
    kept = (table.sum(axis=1) > 0) & (true >= 0) & (true < table.shape[1])
    if kept.sum() < 2:
        raise InputError("fewer than two items have votes and a true class: give more")
    return table[kept], true[kept]


def _intraclass(votes: NDArray[np.float64], error: NDArray[np.float64], mean: float) -> float:
    """Compute the intraclass correlation by one-way analysis of variance."""
    N, total = len(votes), votes.sum()
    if total <= N:
        return float("nan")
    size = (total - (votes**2).sum() / total) / (N - 1)
    between = (votes * (error - mean) ** 2).sum() / (N - 1)
    within = (votes * error * (1 - error)).sum() / (total - N)
    return _ratio(float(between - within), float(between + (size - 1) * within))


def _skewness(values: NDArray[np.float64]) -> float:
    return float(stats.skew(values)) if np.ptp(values) > 1e-12 else 0.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
