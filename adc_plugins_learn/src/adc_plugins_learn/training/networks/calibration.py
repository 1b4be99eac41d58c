"""Temperature scaling: probabilities as confident as the network is right."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError

COLDEST, HOTTEST = 1e-2, 1e2
"""Between these a temperature is sought."""

_HALVINGS = 60


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Find the temperature that makes given labels most probable (Guo et al., ICML 2017).

    Probabilities are softmax(logits / T). In β = 1/T the mean negative log-likelihood is convex,
    with the derivative mean(Σ p·z - z_y), where p = softmax(β·z): its root is found by bisection.

    Args:
        logits: N × K finite numbers, from samples that the network was not trained on.
        labels: N class indices in 0…K-1, which should be right: wrong ones make T too large.

    Returns:
        T in 0.01 … 100, its ends included: 0.01 where every label has the largest logit, 1 where
        no logits differ.

    Raises:
        InputError: arrays of other shapes, logits that are not finite, labels out of range.
    """
    rows = np.asarray(logits, np.float64)
    given = np.asarray(labels)
    if rows.ndim != 2 or given.shape != rows.shape[:1] or not rows.size:
        raise InputError(
            f"a temperature is fitted to N × K logits and N labels, got {rows.shape} and "
            f"{given.shape}"
        )
    if not np.isfinite(rows).all():
        raise InputError("a temperature is fitted to finite logits: some are NaN or infinite")
    if given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= rows.shape[1]:
        raise InputError(f"a temperature is fitted to labels in 0…{rows.shape[1] - 1}")
    # Differences to the largest logit neither overflow nor change the probabilities.
    rows = rows - rows.max(axis=1, keepdims=True)
    own = rows[np.arange(len(rows)), given].mean()
    if not rows.any():
        return 1.0
    low, high = np.log(1 / HOTTEST), np.log(1 / COLDEST)
    if own == 0 or _expected(rows, np.exp(high)) < own:
        return COLDEST
    if _expected(rows, np.exp(low)) >= own:
        return HOTTEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _expected(rows, np.exp(middle)) < own else (low, middle)
    return float(np.exp(-(low + high) / 2))


def _expected(rows: NDArray[np.float64], sharpness: float) -> float:
    """Average over samples the expected logit under softmax(sharpness × logits)."""
    weights = np.exp(sharpness * rows)
    return float((np.einsum("nk,nk->n", weights, rows) / weights.sum(axis=1)).mean())
