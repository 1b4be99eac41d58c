"""What array users hand in, checked once: one line says which row is wrong and what to do."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adc_core.arrays import Array, chunks, first_bad_row
from adc_core.dataset import Dataset
from adc_core.errors import InputError

T = TypeVar("T")


def as_labels(labels: ArrayLike, n_classes: int | None = None) -> NDArray[np.int64]:
    """N int64 class indices.

    Args:
        labels: N whole numbers.
        n_classes: how many classes there are; by default the labels say.

    Raises:
        InputError: not one whole number in 0…K-1 per sample, or no sample.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(
            f"labels: expected one whole number per sample, got {array.dtype} {array.shape}"
        )
    if not len(array):
        raise InputError("labels: expected at least one sample, got none")
    outside = array < 0
    if n_classes is not None:
        outside |= array >= n_classes
    if outside.any():
        row = int(outside.argmax())
        last = "K-1" if n_classes is None else n_classes - 1
        raise InputError(f"labels: row {row} is {array[row]}, expected 0…{last}")
    return array.astype(np.int64, copy=False)


def as_rows(values: ArrayLike, name: str) -> Array:
    """A matrix of finite floating-point numbers with one row per sample.

    Raises:
        InputError: another shape or type, or a row that is not finite.
    """
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.shape[1]:
        raise InputError(
            f"{name}: expected a matrix of numbers with one row per sample, "
            f"got {array.dtype} {array.shape}"
        )
    if array.dtype.kind != "f":
        return array.astype(np.float64)
    if (row := first_bad_row(array)) is not None:
        raise InputError(f"{name}: row {row} is not finite (NaN or infinity)")
    return array


def as_probabilities(values: ArrayLike) -> Array:
    """A matrix of floating-point numbers, one row per sample and one column per class.

    Raises:
        InputError: another shape or type.
    """
    matrix = np.asarray(values)
    if matrix.ndim != 2 or matrix.dtype.kind != "f" or matrix.shape[1] < 2:
        raise InputError(
            "probabilities: expected a matrix of N samples × K classes, "
            f"got {matrix.dtype} {matrix.shape}"
        )
    return matrix


def as_mask(values: ArrayLike, rows: int, name: str) -> NDArray[np.bool_]:
    """One boolean for each sample, of which some are true and some are not.

    Raises:
        InputError: another shape or type, or all are alike.
    """
    mask = np.asarray(values)
    if mask.dtype != np.bool_ or mask.shape != (rows,):
        raise InputError(
            f"{name}: expected one boolean for each of {rows} samples, "
            f"got {mask.dtype} {mask.shape}"
        )
    if mask.all() or not mask.any():
        raise InputError(
            f"{name}: {mask.sum()} of {rows} samples are, but some must be and some must not"
        )
    return mask


def same_length(labels: Array, rows: Any, name: str) -> None:
    """Check that an array of evidence has one row per label.

    Raises:
        InputError: it has another number of rows.
    """
    if len(labels) != len(rows):
        raise InputError(
            f"{name} have {len(rows)} rows but there are {len(labels)} labels: "
            "give one row per sample"
        )


def row_ids(rows: int) -> Array:
    """The row numbers as texts: the ids of samples that were given none."""
    width = len(str(max(0, rows - 1)))
    letters = np.zeros((rows, width), np.uint32)
    for digits in range(1, width + 1):
        first = 10 ** (digits - 1) if digits > 1 else 0
        block = letters[first : 10**digits]
        for part in chunks(len(block), 16 * width):
            numbers = np.arange(first + part.start, first + part.stop, dtype=np.uint32)
            text = np.empty((len(numbers), digits), np.uint8)
            for place in reversed(range(digits)):
                tens = numbers // 10
                text[:, place] = numbers - 10 * tens + ord("0")
                numbers = tens
            block[part, :digits] = text
    return letters.view(f"<U{width}").reshape(-1)


def needed(column: T | None, name: str, added_by: str) -> T:
    """A column of a dataset that must be there.

    Raises:
        InputError: it is not; the message says what adds it.
    """
    if column is None:
        raise InputError(f'the dataset has no column "{name}": {added_by} adds it')
    return column


def out_of_sample(dataset: Dataset, allow_in_sample: bool) -> Array:
    """The probabilities of a dataset, N × K, from models that had not seen the labels.

    Raises:
        InputError: they are missing, or in sample where that is not allowed.
    """
    probabilities = needed(dataset.probabilities, "probabilities", "the enricher linear-probe")
    if probabilities.origin == "in sample" and not allow_in_sample:
        raise InputError(
            "the probabilities are in sample, and a model agrees with the wrong labels that "
            "it has seen: use out-of-sample ones, or set allow_in_sample"
        )
    return probabilities.values
