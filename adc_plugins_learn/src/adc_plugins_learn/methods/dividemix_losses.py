"""The numbers of a DivideMix step: targets made by networks, and what is made smaller."""

import math

import torch
from torch import Tensor

from adc_plugins_learn.methods.loss_mixture import low_mean_posterior
from adc_plugins_learn.training.parts import BoundCriterion, cross_entropy


def normalized(losses: Tensor) -> Tensor:
    """Scale N losses to 0 … 1, in float64; zeros where all are equal."""
    losses = losses.double()
    low, high = losses.min(), losses.max()
    return (losses - low) / (high - low) if high > low else torch.zeros_like(losses)


def clean_probability(losses: Tensor) -> Tensor:
    """Estimate N float64 probabilities that a label is right, from N losses in 0 … 1."""
    return low_mean_posterior(losses)


_LEAST = 10
"""Samples of a label in which two groups can be told apart."""


def clean_probability_within(losses: Tensor, labels: Tensor) -> Tensor:
    """Estimate the same by the losses of each label's samples alone.

    Those of a rare class are all large, so that beside the others' none of them looks right. Of a
    label with fewer than ten samples every one counts as right.

    Args:
        losses: N, of any scale.
        labels: N int64 given labels.
    """
    clean = torch.ones(len(losses), dtype=torch.float64, device=losses.device)
    for label in range(int(labels.max()) + 1):
        rows = torch.nonzero(labels == label)[:, 0]
        if len(rows) >= _LEAST:
            clean[rows] = clean_probability(normalized(losses[rows]))
    return clean


def balanced_subset(labels: Tensor, count: int, classes: int, generator: torch.Generator) -> Tensor:
    """Draw rows at random, of each label a K-th of them at most.

    Args:
        labels: N int64 given labels, on the CPU.
        count: how many are drawn if each label has enough.
        classes: K.
        generator: draws, on the CPU.

    Returns:
        Up to `count` rows, in their order.
    """
    order = torch.randperm(len(labels), generator=generator)
    share = max(1, math.ceil(count / classes))
    taken = [order[labels[order] == label][:share] for label in range(classes)]
    rows = torch.cat(taken)
    if len(rows) > count:  # a share was rounded up
        rows = rows[torch.randperm(len(rows), generator=generator)[:count]]
    return rows.sort().values


def sharpened(probabilities: Tensor, temperature: float) -> Tensor:
    """Raise B × K probabilities to the power 1/T, and normalize them again."""
    powers = probabilities ** (1 / temperature)
    return powers / powers.sum(dim=1, keepdim=True)


def refined_targets(
    views: tuple[Tensor, Tensor], labels: Tensor, clean: Tensor, temperature: float
) -> Tensor:
    """Replace labels by the network's own mean prediction as far as they look wrong.

    Args:
        views: B × K logits of two views.
        labels: B int64 given labels.
        clean: B probabilities that they are right.
        temperature: of the sharpening.

    Returns:
        B × K targets without gradient.
    """
    predicted = torch.stack([view.softmax(dim=1) for view in views]).mean(dim=0).detach()
    given = torch.nn.functional.one_hot(labels, predicted.shape[1])
    weight = clean[:, None].to(predicted.dtype)
    return sharpened(weight * given + (1 - weight) * predicted, temperature)


def guessed_targets(views: tuple[Tensor, ...], temperature: float) -> Tensor:
    """Sharpen the mean prediction of both networks for both views: B × K, without gradient."""
    predicted = torch.stack([view.softmax(dim=1) for view in views]).mean(dim=0).detach()
    return sharpened(predicted, temperature)


def semi_supervised_loss(
    logits: Tensor,
    targets: Tensor,
    labeled: int,
    unlabeled_weight: float,
    criterion: BoundCriterion = cross_entropy,
) -> Tensor:
    """Compute CE of labeled rows + λ·mean squared error of the others + KL(uniform ‖ mean p).

    Args:
        logits: B × K of blends, the labeled first.
        targets: B × K.
        labeled: how many rows are.
        unlabeled_weight: λ.
        criterion: the loss of a labeled row, CE where none is given.

    Returns:
        One number; the squared error is a mean over rows and classes.
    """
    log_p, p = logits.log_softmax(dim=1), logits.softmax(dim=1)
    loss = criterion(logits[:labeled], targets[:labeled]).mean()
    if labeled < len(logits):
        loss = loss + unlabeled_weight * ((p[labeled:] - targets[labeled:]) ** 2).mean()
    # Not the log of the mean of p, which is zero where a class is out of use.
    used = log_p.logsumexp(dim=0) - math.log(len(logits))
    return loss - math.log(logits.shape[1]) - used.mean()


def negative_entropy(logits: Tensor) -> Tensor:
    """Compute Σ_k p·log p: B numbers ≤ 0; minimized, they punish confidence."""
    log_p = logits.log_softmax(dim=1)
    return (log_p.exp() * log_p).sum(dim=1)


def unlabeled_weight_at(epochs_done: float, full: float, warm_up: int, ramp: int = 16) -> float:
    """Schedule λ, which rises linearly over 16 epochs after the warm-up."""
    return full * min(1.0, max(0.0, (epochs_done - warm_up) / ramp))
