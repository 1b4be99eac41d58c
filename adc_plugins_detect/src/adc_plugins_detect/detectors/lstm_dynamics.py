"""LSTM on training dynamics: a network that has seen many labels resist, and many yield."""

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from threadpoolctl import threadpool_limits

from adc_core import Dataset, Detector, Dynamics, Findings, InputError, LocalPath, progress
from adc_core.arrays import Array
from adc_plugins_detect.array_function import array_function
from adc_plugins_detect.dynamics.curves import curves_of, dynamics_of, refuse_unseen, shares_of
from adc_plugins_detect.dynamics.lstm_network import read_network
from adc_plugins_detect.inputs import as_array, as_ids, as_labels

SHIPPED = Path(__file__).parents[1] / "weights" / "lstm_dynamics.safetensors"
"""The weights that come with the package; the recipe that made them is beside them."""

_ROWS = 256
"""Samples per product. Every product has this shape, so that no sum depends on how many samples
there are."""


@array_function
def lstm_dynamics(
    labels: ArrayLike,
    evidence: Dynamics | ArrayLike,
    *,
    weights: Path | str | None = None,
    ids: ArrayLike | None = None,
) -> Findings:
    """Find wrong labels by an LSTM that reads their training dynamics (Jia et al., AAAI 2023).

    The network was trained on simulated noise to separate the series of wrong labels from those of
    right ones; suspicion is its probability that the label is wrong, and from one half a label is
    flagged. It needs no training here, but expects series like those that it has seen: from
    the steps of a training, and of a similar schedule. Series of another length are resampled to
    its own by linear interpolation over the time from the first to the last epoch.

    Args:
        labels: N given labels.
        evidence: training dynamics, or their N × E probabilities of the given label. NaN in epochs
            in which a sample was not seen is filled by linear interpolation.
        weights: a file of `adc train-lstm-dynamics`; by default the one of the package.
        ids: N texts; by default the row numbers.

    Returns:
        Findings; noise rate is the mean suspicion.

    Raises:
        InputError: arrays of other shapes, a probability outside 0…1, a sample that was never
            seen, a file that holds no such weights.
    """
    given = as_labels(labels)
    if not isinstance(weights, Path | str | None):
        raise InputError(f"weights: expected a path, got {type(weights).__name__}")
    network = read_network(SHIPPED if weights is None else Path(weights))
    times: Array | None = None
    if isinstance(evidence, Dynamics):
        times = evidence.epochs
        evidence = evidence.given_probability
    values = _without_gaps(as_array(evidence, "given_probability"))
    curves = shares_of(given, curves_of(given, values, "given_probability"), "given_probability")
    suspicion = np.empty(len(given))
    series = np.zeros((_ROWS, network.length), np.float32)
    with threadpool_limits(1, "blas"):  # so that any number of threads adds alike
        for start in range(0, len(given), _ROWS):
            part = slice(start, min(start + _ROWS, len(given)))
            count = part.stop - start
            series[:count] = resample(curves[part], network.length, times)
            suspicion[part] = network.suspicion(series)[:count]
            progress(part.stop, len(given), "sample")
    return Findings(
        ids=as_ids(ids, len(given)),
        suspicion=suspicion,
        flagged=suspicion >= 0.5,
        noise_rate=float(suspicion.mean()),
    )


def resample(curves: Array, length: int, times: Array | None = None) -> Array:
    """Interpolate N × length values at equal steps of time, linear between the recorded ones.

    Args:
        curves: N × E values.
        length: how many values each gets.
        times: E increasing times of the values; by default equally spaced.
    """
    E = curves.shape[1]
    times = np.arange(E) if times is None else times
    places = np.interp(np.linspace(times[0], times[-1], length), times, np.arange(E))
    low = places.astype(np.int64)
    high = np.minimum(low + 1, E - 1)
    part = places - low
    values: Array = curves[:, low] * (1 - part) + curves[:, high] * part
    return values


def fill_gaps(curves: Array) -> Array:
    """Fill NaN in curves: linear between neighbors, constant at the ends.

    Raises:
        InputError: a row has no number at all.
    """
    missing = np.isnan(curves)
    E = curves.shape[1]
    places = np.arange(E)
    before = np.maximum.accumulate(np.where(missing, -1, places), axis=1)
    after = np.minimum.accumulate(np.where(missing, E, places)[:, ::-1], axis=1)[:, ::-1]
    refuse_unseen(missing, "given_probability")
    before, after = np.where(before < 0, after, before), np.where(after == E, before, after)
    low, high = (np.take_along_axis(curves, near, axis=1) for near in (before, after))
    with np.errstate(invalid="ignore"):  # infinities are refused later, by name
        values: Array = low + (high - low) * (places - before) / np.maximum(after - before, 1)
    return values


class LstmDynamics(Detector):
    """Flags labels whose training curve looks wrong to an LSTM that has seen simulated noise."""

    requires: ClassVar[tuple[str, ...]] = ("dynamics",)

    weights: LocalPath | None = Field(
        default=None, description="a file of adc train-lstm-dynamics; by default the package's own"
    )

    def detect(self, dataset: Dataset) -> Findings:
        """Judge every sample by the dataset's dynamics."""
        return lstm_dynamics(
            dataset.labels, dynamics_of(dataset), weights=self.weights, ids=dataset.ids
        )


def _without_gaps(matrix: Array) -> Array:
    gaps = matrix.ndim == 2 and matrix.dtype.kind == "f" and np.isnan(matrix).any()
    return fill_gaps(matrix) if gaps else matrix
