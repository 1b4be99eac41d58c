"""What out-of-sample models predict of labels: one matrix, of one model or of several."""

from collections.abc import Sequence
from typing import TypeAlias
from typing import cast as typed

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core import InputError, Probabilities
from adc_core.arrays import Array, chunks
from adc_plugins_detect.confident.joint import checked, in_range
from adc_plugins_detect.inputs import as_labels, as_probabilities, same_length

Predicted: TypeAlias = ArrayLike | Probabilities
"""N × K probabilities, as an array or as a probe made them."""

_STEEPNESS = 20
"""Weights fall by exp(-20) where the log loss is worse by one; of the steepnesses that cleanlab's
`log_loss_search` tries it did best on CIFAR-10N."""

_LEAST = 1e-9


def labels_and_probabilities(
    labels: ArrayLike, probabilities: Predicted | Sequence[Predicted]
) -> tuple[NDArray[np.int64], Array]:
    """Check what detectors by probabilities are given.

    Args:
        labels: N given labels.
        probabilities: N × K, or those of several models, which are averaged.

    Returns:
        N labels in 0…K-1 and N × K probabilities of any float type, not yet looked at.

    Raises:
        InputError: arrays of other shapes, labels out of range, predictions in sample.
    """
    matrices = [as_probabilities(one) for one in _models(probabilities)]
    if not matrices:
        raise InputError("there are no probabilities: give those of at least one model")
    given = as_labels(labels, matrices[0].shape[1])
    for matrix in matrices:
        same_length(given, matrix, "probabilities")
    return given, matrices[0] if len(matrices) == 1 else weighted_mean(given, matrices)


def weighted_mean(labels: NDArray[np.int64], matrices: Sequence[Array]) -> NDArray[np.float32]:
    """Average what models predict, by weights exp(-20 × log loss on the given labels).

    Args:
        labels: N given labels.
        matrices: of each model N × K.

    Raises:
        InputError: matrices of different shapes, or rows that are not probabilities.
    """
    for matrix in matrices:
        if matrix.shape != matrices[0].shape:
            raise InputError(
                f"the models' probabilities are {matrices[0].shape} and {matrix.shape}: "
                "give all for the same classes"
            )
    losses = np.array([_log_loss(labels, matrix) for matrix in matrices])
    weights = np.exp(-_STEEPNESS * (losses - losses.min()))
    weights /= weights.sum()
    values = np.zeros(matrices[0].shape, np.float32)
    for weight, matrix in zip(weights, matrices, strict=True):
        for part in chunks(len(matrix), 8 * matrix.shape[1]):
            values[part] += np.float32(weight) * in_range(matrix[part]).astype(np.float32)
    return values


def _models(probabilities: Predicted | Sequence[Predicted]) -> Sequence[Predicted]:
    """List the predictions of each model: matrices in a list, or results of probes, are several."""
    if isinstance(probabilities, np.ndarray):
        return list(probabilities) if probabilities.ndim == 3 else [probabilities]
    if isinstance(probabilities, list | tuple) and len(probabilities):
        first = probabilities[0]
        if isinstance(first, Probabilities) or getattr(first, "ndim", _depth(first)) == 2:
            return probabilities
    return [typed(Predicted, probabilities)]


def _depth(nested: object) -> int:
    """Count how deep lists are nested."""
    return 1 + _depth(nested[0]) if isinstance(nested, list | tuple) and nested else 0


def _log_loss(labels: NDArray[np.int64], matrix: Array) -> float:
    own = np.empty(len(labels))
    for part in chunks(len(matrix), 8 * matrix.shape[1]):
        block = checked(matrix[part], part.start)
        own[part] = block[np.arange(len(block)), labels[part]]
    return float(-np.log(own.clip(min=_LEAST)).mean())
