"""Which samples lie outside all classes: by losses, or by a plane between these and others."""

import torch
from torch import Tensor, nn

from adc_plugins_learn.methods.loss_mixture import low_mean_posterior

_SURE = 0.95
"""Probability of the larger losses from which on a sample seems to lie outside."""

_STEPS = 200
"""Of the optimizer, at most."""


def small_loss_chance(losses: Tensor) -> Tensor:
    """Estimate N probabilities of the smaller of two kinds of losses, scaled to 0 … 1 before."""
    low, high = losses.min(), losses.max()
    return low_mean_posterior((losses - low) / (high - low).clamp_min(1e-12))


def seem_outside(losses: Tensor) -> Tensor:
    """Mark the samples whose losses are surely of the larger kind."""
    return 1 - small_loss_chance(losses) > _SURE


def chance_outside(features: Tensor, outside: Tensor, ridge: float = 1e-3) -> Tensor:
    """Fit a plane between samples that seem to lie outside and the others, and ask it of all.

    Features are brought to unit length, mean 0 and deviation 1; both sides weigh alike, and `ridge`
    is the weight of squared coefficients. Albert et al., ECCV 2024, who have none: where a plane
    separates the guess, coefficients then grow without end.

    Args:
        features: N × D.
        outside: N booleans, some true and some not.
        ridge: beside the mean loss.

    Returns:
        N float64 probabilities of lying outside.
    """
    rows = nn.functional.normalize(features.double())
    spread = rows.std(dim=0, correction=0)
    rows = (rows - rows.mean(dim=0)) / torch.where(spread > 0, spread, 1)
    target, count = outside.double(), outside.sum()
    weights = torch.where(outside, 0.5 / count, 0.5 / (len(outside) - count))
    plane = torch.zeros(rows.shape[1] + 1, dtype=torch.float64, device=rows.device)
    plane.requires_grad_()
    optimizer = torch.optim.LBFGS(
        [plane],
        max_iter=_STEPS,
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        losses = nn.functional.binary_cross_entropy_with_logits(
            rows @ plane[1:] + plane[0], target, weights, reduction="sum"
        )
        total = losses + ridge / 2 * (plane[1:] ** 2).sum()
        torch.autograd.backward(total)
        return total

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    return (rows @ plane[1:] + plane[0]).detach().sigmoid()
