"""Two Gaussians fitted to losses: which samples belong to the lower one."""

import math

import torch
from torch import Tensor

_FLOOR = 10 * torch.finfo(torch.float64).eps


def low_mean_posterior(
    values: Tensor, iterations: int = 10, tolerance: float = 1e-2, floor: float = 5e-4
) -> Tensor:
    """Estimate the probability of belonging to the component with the smaller mean.

    Expectation maximisation from the two groups that k-means finds; no draws. Where all values
    are equal there is one group, and every probability is 1.

    Args:
        values: N numbers.
        iterations: at most.
        tolerance: of the mean log-likelihood, at which it stops.
        floor: added to every variance.

    Returns:
        N float64, in 0 … 1.
    """
    values = values.double()
    low, high = values.min(), values.max()
    if low == high:
        return torch.ones_like(values)
    upper = _upper_group(values, low, high)
    shares = torch.stack([1 - upper, upper], dim=1)
    means, variances, weights = _maximize(values, shares, floor)
    likelihood = -math.inf
    for _ in range(iterations):
        before = likelihood
        shares, likelihood = _expect(values, means, variances, weights)
        means, variances, weights = _maximize(values, shares, floor)
        if abs(likelihood - before) < tolerance:
            break
    return _expect(values, means, variances, weights)[0][:, int(means.argmin())]


def _upper_group(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    while True:
        upper = values > (low + high) / 2
        new_low, new_high = values[~upper].mean(), values[upper].mean()
        if new_low == low and new_high == high:
            return upper.double()
        low, high = new_low, new_high


def _maximize(values: Tensor, shares: Tensor, floor: float) -> tuple[Tensor, Tensor, Tensor]:
    counts = shares.sum(dim=0) + _FLOOR
    means = values @ shares / counts
    variances = ((values[:, None] - means) ** 2 * shares).sum(dim=0) / counts + floor
    return means, variances, counts / len(values)


def _expect(
    values: Tensor, means: Tensor, variances: Tensor, weights: Tensor
) -> tuple[Tensor, float]:
    distances = (values[:, None] - means) ** 2 / variances
    joint = weights.log() - (distances + variances.log() + math.log(2 * math.pi)) / 2
    total = joint.logsumexp(dim=1)
    return (joint - total[:, None]).exp(), float(total.mean())
