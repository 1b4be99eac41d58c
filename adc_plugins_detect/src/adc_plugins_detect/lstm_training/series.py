"""The series to learn from: what a learner sees of labels of which some were made wrong."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, InputError, Learner, Simulator
from adc_core.cli import shown_work
from adc_plugins_detect.detectors.lstm_dynamics import resample
from adc_plugins_detect.dynamics.curves import dynamics_seen_by
from adc_plugins_detect.lstm_training.recipe import Recipe

_HELD_OUT = 0.1

"""Announces a training by its name; what it lends meanwhile hears of the progress."""


class Series(NamedTuple):
    """Training dynamics of known labels, resampled to one length.

    Attributes:
        values: M × T float32, probability of the given label.
        wrong: M booleans, the label is wrong.
        held_out: M booleans; all series of a sample are held out together.
    """

    values: NDArray[np.float32]
    wrong: NDArray[np.bool_]
    held_out: NDArray[np.bool_]


def make_series(recipe: Recipe, dataset: Dataset, folder: Path) -> Series:
    """Train once on each simulated noise; a training that was finished in the folder is taken up.

    Args:
        recipe: says how.
        dataset: its labels are taken to be right.
        folder: where the learner may keep what it needs to go on after an interruption.

    Raises:
        InputError: the dataset lacks a column, the learner records no dynamics, no label is
            wrong or none is right.
    """
    _require_columns(recipe, dataset)
    rows = np.random.default_rng(recipe.seed).permutation(len(dataset))
    aside = np.isin(np.arange(len(dataset)), rows[: max(1, int(len(rows) * _HELD_OUT))])
    values, wrong, held_out = [], [], []
    for number, simulator in enumerate(recipe.simulators, 1):
        place = folder / f"{number}-{simulator.name}"
        corruption = simulator.corrupt(dataset)
        with shown_work(f"training {number} of {len(recipe.simulators)}", place):
            dynamics = dynamics_seen_by(recipe.learner, corruption.applied_to(dataset))
        values.append(resample(dynamics.given_probability, recipe.length, dynamics.epochs))
        wrong.append(corruption.rows_left(corruption.mask))
        held_out.append(corruption.rows_left(aside))
    series = Series(
        np.concatenate(values, dtype=np.float32),
        np.concatenate(wrong),
        np.concatenate(held_out),
    )
    for part in (series.held_out, ~series.held_out):
        if series.wrong[part].all() or not series.wrong[part].any():
            raise InputError(
                f"{series.wrong[part].sum()} of {part.sum()} labels are wrong, but some must be "
                "and some must not: simulate another noise, or give more samples"
            )
    return series


def _require_columns(recipe: Recipe, dataset: Dataset) -> None:
    everyone: tuple[Simulator | Learner, ...] = (*recipe.simulators, recipe.learner)
    for component in everyone:
        for column in component.required_columns:
            if not dataset.has(column):
                raise InputError(
                    f'{component.name} reads "{column}", which {recipe.dataset} does not have: '
                    "give a dataset that has it"
                )
