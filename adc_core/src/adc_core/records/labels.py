"""Labels as people have them, numbers from 0 or names of classes, as class indices."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core.arrays.validation import Array
from adc_core.errors import InputError, unknown_name

FEW_CLASSES = 1000
"""Of so many classes most may lack samples; of more than that, and than samples, none can mean it:
such labels are numbers from a database."""

_LARGEST = np.iinfo(np.int64).max
_EXPECTED = "expected one whole number or class name per sample"


class ClassIndices(NamedTuple):
    """Labels as numbers.

    Attributes:
        labels: N int64.
        names: K class names, sorted, where the labels were names; else None.
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...] | None


def class_indices(labels: Any, classes: Sequence[str] | None = None) -> ClassIndices:
    """Read labels: integers, whole floats, booleans, names, or a mixture of numbers as objects.

    Names are numbered in their sorted order, or as `classes` has them. Numbers that are written
    as text are numbers, unless `classes` has them.

    Args:
        labels: N labels of one of these kinds; whether numbers suit is not checked.
        classes: K names that the labels may have; by default the names that occur.

    Raises:
        InputError: another kind or shape, a missing or fractional label, a name that is no class.
    """
    array = _one_per_sample(labels)
    if array.dtype.kind == "U":
        if classes is None and len(array) and np.char.isdigit(array).all():
            return ClassIndices(_from_digits(array), None)
        return _from_names(array, classes)
    if array.dtype.kind == "f":
        odd = ~np.isfinite(array) | (array != np.rint(array)) | (array <= -_LARGEST)
        if odd.any():
            row = int(odd.argmax())
            raise InputError(
                f"labels: row {row} is {array[row]:g}, expected a whole number or a class name"
            )
    if array.dtype.kind in "fu" and len(array) and (top := array.max()) >= _LARGEST:
        raise _too_large(top, len(array), "labels")
    return ClassIndices(array.astype(np.int64, copy=False), None)


def number_of_classes(labels: NDArray[np.int64], where: str = "labels") -> int:
    """Return how many classes labels imply: one more than the largest.

    Args:
        labels: N class indices.
        where: what they are, for the message.

    Raises:
        InputError: so many that the labels must be something else.
    """
    top = int(labels.max(initial=-1))
    if top >= max(len(labels), FEW_CLASSES):
        raise _too_large(top, len(labels), where)
    return top + 1


def _too_large(top: Any, samples: int, where: str) -> InputError:
    return InputError(
        f"{where} go up to {int(top)} for {samples} samples: are they ids? "
        "write names, or numbers from 0"
    )


def _one_per_sample(labels: Any) -> Array:
    """Convert labels to N booleans, integers, floats or strings."""
    try:
        array = np.asarray(labels)
    except ValueError:  # rows of different lengths
        raise InputError(f"labels: {_EXPECTED}, got a ragged list") from None
    if array.ndim == 1 and array.dtype.kind == "O":
        array = _of_one_kind(array)
    if array.ndim != 1 or array.dtype.kind not in "biufUST":
        raise InputError(f"labels: {_EXPECTED}, got {array.dtype} {array.shape}")
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", "replace")
    return array.astype(np.str_) if array.dtype.kind == "T" else array


def _of_one_kind(objects: Array) -> Array:
    """Convert Python objects to numbers or strings, where they all are."""
    kinds = set(map(type, objects))
    if all(issubclass(kind, str) for kind in kinds):
        return objects.astype(np.str_)
    if all(issubclass(kind, Real | np.bool_) for kind in kinds):
        return np.array(objects.tolist())
    wanted: type[Any] = str if any(issubclass(kind, str) for kind in kinds) else Real
    suits = np.fromiter((isinstance(label, wanted) for label in objects), np.bool_, len(objects))
    row = int(suits.argmin())
    raise InputError(
        f"labels: row {row} is {objects[row]!r}, expected a whole number or a class name as in the "
        "other rows"
    )


def _from_digits(texts: Array) -> NDArray[np.int64]:
    longest = texts[np.char.str_len(texts).argmax()]
    if len(longest) > 18:
        raise _too_large(longest, len(texts), "labels")
    return texts.astype(np.int64)


def _from_names(texts: Array, classes: Sequence[str] | None) -> ClassIndices:
    if (empty := texts == "").any():
        raise InputError(f"labels: row {int(empty.argmax())} has no label: fill or remove it")
    found, codes = np.unique(texts, return_inverse=True)
    if classes is None:
        return ClassIndices(codes.astype(np.int64), tuple(found.tolist()))
    place = {str(name): number for number, name in enumerate(classes)}
    for name in found.tolist():
        if name not in place:
            row = int((texts == name).argmax())
            raise InputError(f"labels: row {row}: {unknown_name('class', name, place)}")
    lookup = np.array([place[name] for name in found.tolist()], np.int64)
    return ClassIndices(lookup[codes], tuple(place))
