"""Curves of a training run: one column of the dynamics, as recorded or as a bare matrix."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import Dataset, Dynamics, InputError, Learner
from adc_core.arrays import Array
from adc_plugins_detect.inputs import as_array, as_rows, needed, same_length


def curves_of(labels: Array, evidence: Dynamics | ArrayLike, column: str) -> Array:
    """Check curves: one finite number per sample and epoch.

    Args:
        labels: N given labels.
        evidence: the dynamics, or one N × E matrix of them, of numbers or booleans.
        column: which column of the dynamics.

    Raises:
        InputError: another shape or type, no epoch, or a row that is not finite.
    """
    known = isinstance(evidence, Dynamics)
    values = getattr(evidence, column) if known else as_array(evidence, column)
    curves = as_rows(values.view(np.uint8) if values.dtype == np.bool_ else values, column)
    same_length(labels, curves, column)
    return curves


def seen_curves_of(labels: Array, evidence: Dynamics | ArrayLike, column: str) -> Array:
    """Check curves in which NaN says that a sample was not seen in an epoch.

    Raises:
        InputError: as `curves_of`, or a sample was seen in no epoch.
    """
    known = isinstance(evidence, Dynamics)
    values: Array = getattr(evidence, column) if known else as_array(evidence, column)
    if values.ndim != 2 or values.dtype.kind != "f" or not (gaps := np.isnan(values)).any():
        return curves_of(labels, values, column)
    curves_of(labels, np.where(gaps, 0, values), column)
    refuse_unseen(gaps, column)
    return values


def refuse_unseen(gaps: Array, column: str) -> None:
    """Check that every sample was seen at least once.

    Args:
        gaps: N × E booleans: not seen in that epoch.
        column: of what, for the message.

    Raises:
        InputError: one was not.
    """
    if (unseen := gaps.all(axis=1)).any():
        raise InputError(f"{column}: row {int(unseen.argmax())} was seen in no epoch: leave it out")


def shares_of(labels: Array, evidence: Dynamics | ArrayLike, column: str) -> Array:
    """Check curves that must be in 0…1, NaN where a sample was not seen.

    Raises:
        InputError: they do not, or are no curves.
    """
    curves = seen_curves_of(labels, evidence, column)
    if np.nanmin(curves) < -1e-3 or np.nanmax(curves) > 1 + 1e-3:
        row = int((abs(curves - 0.5) > 0.501).any(axis=1).argmax())
        raise InputError(f"{column}: row {row} leaves 0…1: expected probabilities of every epoch")
    return curves


def epoch_index(epoch: int, evidence: Dynamics | ArrayLike, curves: Array) -> int:
    """Return the column of an epoch; those of a bare matrix are epochs 1, 2, ….

    Raises:
        InputError: the epoch was not recorded.
    """
    E = curves.shape[1]
    epochs = evidence.epochs if isinstance(evidence, Dynamics) else np.arange(1, E + 1)
    places = np.flatnonzero(epochs == epoch)
    if not len(places):
        raise InputError(
            f"epoch {epoch} was not recorded: choose one of {', '.join(map(str, epochs))}"
        )
    return int(places[0])


def mean_of_epochs(curves: Array) -> NDArray[np.float64]:
    """Average each sample over the epochs in which it was seen, in double precision."""
    means: NDArray[np.float64] = curves.mean(axis=1, dtype=np.float64)
    if (gaps := np.isnan(means)).any():
        means[gaps] = np.nanmean(curves[gaps], axis=1, dtype=np.float64)
    return means


def dynamics_of(dataset: Dataset) -> Dynamics:
    """Return the training dynamics of a dataset.

    Raises:
        InputError: it has none.
    """
    return needed(dataset.dynamics, "dynamics", "the enricher training-dynamics")


def dynamics_seen_by(learner: Learner, dataset: Dataset) -> Dynamics:
    """Train a learner and return its dynamics.

    Raises:
        InputError: the learner records none.
    """
    dynamics = learner.learn(dataset).dynamics
    if dynamics is None:
        raise InputError(f"the learner {learner.name} records no training dynamics: choose another")
    return dynamics
