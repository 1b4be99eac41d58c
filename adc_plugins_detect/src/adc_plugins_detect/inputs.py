"""What array users hand in, checked once: one line says which row is wrong and what to do."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError

from adc_core import Dataset, InputError, Probabilities
from adc_core.arrays import Array, Texts, chunks, first_bad_row, first_repeated
from adc_core.errors import lines_of
from adc_core.records import class_indices

T = TypeVar("T")

IN_SAMPLE = (
    "the probabilities are in sample, and a model agrees with the wrong labels that it has seen"
)

LARGEST_FEATURE = 1e140
"""Sums of squares of as many as fit in memory do not overflow."""

_TEXTS = TypeAdapter[Array](Texts, config=ConfigDict(arbitrary_types_allowed=True))


def as_array(values: object, name: str) -> Array:
    """Convert to an array anything that numpy takes for one.

    Raises:
        InputError: it is none.
    """
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{name}: cannot be read as an array: {reason}") from None


def as_labels(labels: ArrayLike, n_classes: int | None = None) -> NDArray[np.int64]:
    """Convert to N int64 class indices.

    Args:
        labels: N whole numbers, or class names, whose sorted order is that of the classes.
        n_classes: how many classes there are; by default the labels say.

    Raises:
        InputError: not one label in 0…K-1 per sample, other names than classes, or no sample.
    """
    given, names = class_indices(labels)
    if not len(given):
        raise InputError("labels: expected at least one sample, got none")
    if names is not None and n_classes not in (None, len(names)):
        raise InputError(
            f"labels: {len(names)} names but {n_classes} classes: give the classes as numbers "
            f"0…{n_classes - 1}"
        )
    outside = given < 0
    if n_classes is not None:
        outside |= given >= n_classes
    if outside.any():
        row = int(outside.argmax())
        last = "K-1" if n_classes is None else n_classes - 1
        raise InputError(f"labels: row {row} is {given[row]}, expected 0…{last}")
    return given


def as_rows(values: ArrayLike, name: str) -> Array:
    """Convert to a matrix of finite floating-point numbers with one row per sample.

    Raises:
        InputError: another shape or type, or a row that is not finite.
    """
    array = as_array(values, name)
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


def as_features(values: ArrayLike) -> Array:
    """Convert to rows of features whose squares can be added.

    Raises:
        InputError: another shape or type, a row that is not finite, or numbers that are too large.
    """
    rows = as_rows(values, "features")
    if rows.dtype.itemsize >= 8:
        for part in chunks(len(rows), rows.shape[1] * rows.itemsize):
            largest = np.abs(rows[part]).max(axis=1)
            if (far := largest > LARGEST_FEATURE).any():
                row = int(far.argmax())
                raise InputError(
                    f"features: row {part.start + row} holds {largest[row]:.3g}, whose square "
                    "overflows: scale the features"
                )
    return rows


def as_probabilities(values: ArrayLike | Probabilities, *, in_sample: bool = False) -> Array:
    """Convert to a matrix of floating-point numbers, a row per sample and a column per class.

    Args:
        values: N × K, or what an enricher or a probe made.
        in_sample: accept predictions of a model that has seen the labels.

    Raises:
        InputError: another shape or type, or predictions in sample.
    """
    if isinstance(values, Probabilities):
        if values.origin == "in sample" and not in_sample:
            raise InputError(f"{IN_SAMPLE}: use out-of-sample ones, or pass their values")
        return values.values
    matrix = as_array(values, "probabilities")
    if matrix.ndim != 2 or matrix.dtype.kind != "f" or matrix.shape[1] < 2:
        raise InputError(
            "probabilities: expected a matrix of N samples × K classes, "
            f"got {matrix.dtype} {matrix.shape}"
        )
    return matrix


def as_ids(ids: ArrayLike | None, rows: int) -> Array:
    """Convert to N distinct strings; by default the row numbers.

    Raises:
        InputError: another number, something other than strings, or a duplicate.
    """
    if ids is None:
        return row_ids(rows)
    try:
        texts: Array = _TEXTS.validate_python(ids)
    except ValidationError as error:
        raise InputError(f"ids: {lines_of(error)[0]}") from None
    if len(texts) != rows:
        raise InputError(f"ids have {len(texts)} rows but there are {rows} labels: give one each")
    if (again := first_repeated(texts)) is not None:
        raise InputError(f"ids: duplicate id {texts[again]} in row {again}: make ids distinct")
    return texts


def as_list(values: object, name: str, of: str) -> list[Any]:
    """Return the items of a list, a tuple or an array.

    Raises:
        InputError: it is none of these.
    """
    if isinstance(values, list | tuple) or (isinstance(values, np.ndarray) and values.ndim):
        return list(values)
    raise InputError(f"{name}: expected a list of {of}, got {type(values).__name__}")


def as_names(classes: Sequence[str], n_classes: int) -> tuple[str, ...]:
    """Return K class names; by default the class numbers.

    Raises:
        InputError: another number of them.
    """
    names = tuple(map(str, as_list(classes, "classes", "names")))
    if names and len(names) != n_classes:
        raise InputError(f"classes: {len(names)} names for {n_classes} classes: give one each")
    return names or tuple(map(str, range(n_classes)))


def of_type(value: object, kind: type[T], name: str, made_by: str) -> T:
    """Refuse what is not a record of a type.

    Raises:
        InputError: it is something else; the message says what makes one.
    """
    if not isinstance(value, kind):
        raise InputError(
            f"{name}: expected {kind.__name__}, got {type(value).__name__}: {made_by} makes them"
        )
    return value


def as_numbers(values: ArrayLike, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Convert to finite numbers, none below zero.

    Raises:
        InputError: another shape or type, or a number below zero or not finite.
    """
    array = as_array(values, name)
    if array.shape != shape or array.dtype.kind not in "fiub":
        wanted = " × ".join(map(str, shape))
        raise InputError(f"{name}: expected {wanted} numbers, got {array.dtype} {array.shape}")
    numbers = array.astype(np.float64)
    if not (np.isfinite(numbers).all() and (numbers >= 0).all()):
        raise InputError(f"{name}: expected finite numbers from 0, got {numbers.min():g}")
    return numbers


def as_counts(values: ArrayLike, name: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Convert to whole numbers from 0.

    Raises:
        InputError: as `as_numbers`, or a fraction.
    """
    numbers = as_numbers(values, name, shape)
    if (odd := numbers != np.rint(numbers)).any() or numbers.max(initial=0) > 2**53:
        first = numbers[odd][0] if odd.any() else numbers.max()
        raise InputError(f"{name}: expected whole numbers, got {first:g}")
    return numbers.astype(np.int64)


def as_mask(values: ArrayLike, rows: int, name: str) -> NDArray[np.bool_]:
    """Convert to one boolean for each sample, of which some are true and some are not.

    Raises:
        InputError: another shape or type, or all are alike.
    """
    mask = as_array(values, name)
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
    """Return the row numbers as strings: the ids of samples that were given none."""
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
    """Return a column of a dataset, which must be there.

    Raises:
        InputError: it is not; the message says what adds it.
    """
    if column is None:
        raise InputError(f'the dataset has no column "{name}": {added_by} adds it')
    return column


def out_of_sample(dataset: Dataset, allow_in_sample: bool) -> Array:
    """Return the probabilities of a dataset, N × K, from models that had not seen the labels.

    Raises:
        InputError: they are missing, or in sample where that is not allowed.
    """
    probabilities = needed(dataset.probabilities, "probabilities", "the enricher linear-probe")
    if probabilities.origin == "in sample" and not allow_in_sample:
        raise InputError(f"{IN_SAMPLE}: use out-of-sample ones, or set allow_in_sample")
    return probabilities.values
