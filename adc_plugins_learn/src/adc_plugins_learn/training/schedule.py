"""The learning rate of a training at every moment."""

import math
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from adc_plugins_learn.training.optimizer import OptimizerConfig

ScheduleName = Literal["cosine", "constant", "step", "linear", "milestones"]


class ScheduleConfig(OptimizerConfig):
    """How the learning rate changes from epoch to epoch."""

    epochs: int = Field(default=10, ge=1, description="passes over the training set")
    schedule: ScheduleName = Field(default="cosine", description="of the learning rate")
    milestones: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(),
        description="milestones: epochs after which the rate drops, as [60, 80]",
        validate_default=True,
    )
    step_epochs: int = Field(default=2, ge=1, description="step: epochs between two drops")
    step_factor: float = Field(
        default=0.8, gt=0, le=1, description="step, milestones: what a drop multiplies by"
    )
    decay_from: float = Field(
        default=0.4, ge=0, lt=1, description="linear: the part of the epochs before the rate falls"
    )
    restart_epochs: int | None = Field(
        default=None, ge=1, description="cosine: begin again at the top every so many epochs"
    )
    final_learning_rate: float = Field(
        default=0, ge=0, le=1000, description="cosine: what the rate falls to"
    )
    ramp_up_epochs: float = Field(
        default=0,
        ge=0,
        description="any schedule: its rate is reached linearly from 0 in so many epochs",
    )

    @field_validator("milestones")
    @classmethod
    def _check_milestones(
        cls, milestones: tuple[int, ...], info: ValidationInfo
    ) -> tuple[int, ...]:
        if info.data.get("schedule") == "milestones" and not milestones:
            raise ValueError("schedule: milestones needs them: write milestones: [60, 80]")
        return milestones


def decay_start(config: ScheduleConfig) -> int:
    """Return the epoch, counted from 0, from which the linear schedule falls."""
    return round(config.decay_from * config.epochs)


def learning_rate(config: ScheduleConfig, epochs_done: float) -> float:
    """Compute the schedule's learning rate.

    Args:
        config: the schedule and its numbers.
        epochs_done: with the part of the present epoch that is over.
    """
    rate = _unramped(config, epochs_done)
    if epochs_done < config.ramp_up_epochs:
        rate *= epochs_done / config.ramp_up_epochs
    return rate


def _unramped(config: ScheduleConfig, epochs_done: float) -> float:
    rate, epoch = config.learning_rate, int(epochs_done)
    if config.schedule == "cosine":
        period, final = config.restart_epochs or config.epochs, config.final_learning_rate
        turned = math.pi * (epochs_done % period) / period
        return final + (rate - final) * (1 + math.cos(turned)) / 2
    if config.schedule == "step":
        return float(rate * config.step_factor ** (epoch // config.step_epochs))
    if config.schedule == "milestones":
        drops = sum(milestone <= epoch for milestone in config.milestones)
        return float(rate * config.step_factor**drops)
    if config.schedule == "linear":
        start = decay_start(config)
        return rate * min(1, (config.epochs - epoch) / (config.epochs - start))
    return rate
