"""The optimizer of a training, and its learning rate at every moment."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from adc_plugins_learn.training.config import TrainingConfig


def build_optimizer(
    parameters: Iterable[nn.Parameter], config: TrainingConfig
) -> torch.optim.Optimizer:
    """Build one optimizer over all parameters; it skips those without a gradient."""
    if config.optimizer == "adam":
        return torch.optim.Adam(
            parameters,
            lr=config.learning_rate,
            betas=(config.momentum, 0.999),
            weight_decay=config.weight_decay,
        )
    return torch.optim.SGD(
        parameters,
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        nesterov=config.momentum > 0,
    )


def decay_start(config: TrainingConfig) -> int:
    """Return the epoch, counted from 0, from which the linear schedule falls."""
    return round(config.decay_from * config.epochs)


def learning_rate(config: TrainingConfig, epochs_done: float) -> float:
    """Compute the schedule's learning rate.

    Args:
        config: the schedule and its numbers.
        epochs_done: with the part of the present epoch that is over.
    """
    rate, epoch = config.learning_rate, int(epochs_done)
    if config.schedule == "cosine":
        return rate * (1 + math.cos(math.pi * epochs_done / config.epochs)) / 2
    if config.schedule == "step":
        return float(rate * config.step_factor ** (epoch // config.step_epochs))
    if config.schedule == "linear":
        start = decay_start(config)
        return rate * min(1, (config.epochs - epoch) / (config.epochs - start))
    return rate
