"""The optimizer of a recipe, and its learning rate at every moment."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from adc_plugins_learn.training.config import Recipe


def build_optimizer(parameters: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """One optimizer over all parameters; those without a gradient it leaves as they are."""
    if recipe.optimizer == "adam":
        return torch.optim.Adam(
            parameters,
            lr=recipe.learning_rate,
            betas=(recipe.momentum, 0.999),
            weight_decay=recipe.weight_decay,
        )
    return torch.optim.SGD(
        parameters,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.momentum > 0,
    )


def decay_start(recipe: Recipe) -> int:
    """The epoch, counted from 0, from which the linear schedule falls."""
    return round(recipe.decay_from * recipe.epochs)


def learning_rate(recipe: Recipe, epochs_done: float) -> float:
    """The schedule's learning rate.

    Args:
        recipe: the schedule and its numbers.
        epochs_done: with the part of the present epoch that is over.
    """
    rate, epoch = recipe.learning_rate, int(epochs_done)
    if recipe.schedule == "cosine":
        return rate * (1 + math.cos(math.pi * epochs_done / recipe.epochs)) / 2
    if recipe.schedule == "step":
        return float(rate * recipe.step_factor ** (epoch // recipe.step_epochs))
    if recipe.schedule == "linear":
        start = decay_start(recipe)
        return rate * min(1, (recipe.epochs - epoch) / (recipe.epochs - start))
    return rate
