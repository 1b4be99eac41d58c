"""Columns of arrays: checked once at the boundary, then read-only."""

from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, PlainSerializer, ValidationInfo

CHUNK_BYTES = 1 << 24
"""How much of a column is looked at in one step, so that no check needs memory of its own."""

CHECKED = {"checked": True}
"""Validation context for bytes that were checked when written and have the same sum since."""

Array: TypeAlias = NDArray[Any]


def chunks(rows: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices of at most `CHUNK_BYTES` that together cover all rows."""
    step = max(1, CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, rows, step):
        yield slice(start, min(rows, start + step))


def read_only(array: Array) -> Array:
    """Return a view of an array that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view


def first_bad_row(array: Array) -> int | None:
    """Return the first row of a float array that holds NaN or infinity, or None."""
    if not array.size:
        return None
    flat = array.reshape(len(array), -1)
    for part in chunks(len(flat), flat.shape[1] * flat.itemsize):
        block = flat[part]
        # One sum is the cheapest proof that all is finite; overflow only costs the slow look.
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(np.sum(block, dtype=np.float64)):
                continue
        bad = ~np.isfinite(block).all(axis=1)
        if bad.any():
            return int(part.start) + int(np.argmax(bad))
    return None


def _numbers(
    dtype: type[np.generic], shape: str, *, finite: bool = True, gaps: bool = False
) -> BeforeValidator:
    ndim = shape.count("×") + 1

    def check(value: Any, info: ValidationInfo) -> Array:
        array = np.asarray(value)
        wanted = np.dtype(dtype)
        if array.ndim != ndim:
            raise ValueError(f"expected {shape} {wanted}, got shape {array.shape}")
        if array.dtype != wanted:
            array = _cast(array, wanted)
        known = info.context == CHECKED or not finite or wanted.kind != "f"
        if not known and (row := first_bad_row(array)) is not None:
            if not gaps:
                raise ValueError(
                    f"row {row} is not finite (NaN or infinity): expected finite {wanted}"
                )
            if (infinite := np.isinf(array).any(axis=1)).any():
                raise ValueError(
                    f"row {int(infinite.argmax())} is infinite somewhere: "
                    f"expected finite {wanted}, or NaN where nothing was seen"
                )
        return read_only(array)

    return BeforeValidator(check)


def _cast(array: Array, wanted: "np.dtype[Any]") -> Array:
    got = array.dtype
    safe = got.kind in {"f": "fiub", "i": "iub", "b": "b", "u": "iub"}[wanted.kind]
    if not safe and array.size:
        raise ValueError(f"expected {wanted}, got {got}")
    with np.errstate(over="ignore"):
        cast = array.astype(wanted)
    if wanted.kind == "f" and array.itemsize > cast.itemsize:
        _refuse_overflow(array, cast)
    if wanted.kind in "iu" and not np.array_equal(cast, array):
        row = int(np.argmax((cast != array).reshape(len(array), -1).any(axis=1)))
        raise ValueError(f"row {row} does not fit {wanted}: {array.reshape(len(array), -1)[row]}")
    return cast


def _refuse_overflow(array: Array, cast: Array) -> None:
    """Refuse numbers too large for a type, in other words than those that are not finite."""
    row = first_bad_row(cast)
    if row is not None and np.isfinite(array[row]).all():
        largest = np.abs(array[row]).max()
        raise ValueError(f"row {row} holds {largest:g}, which does not fit {cast.dtype}: scale it")


def _text(value: Any) -> Array:
    array = np.asarray(value)
    if array.ndim != 1:
        raise ValueError(f"expected one text per row, got shape {array.shape}")
    if array.dtype.kind in "iu":
        array = array.astype(np.str_)
    if array.dtype.kind == "O" and all(isinstance(item, str) for item in array):
        array = array.astype(np.str_)
    if array.dtype.kind != "U":
        raise ValueError(f"expected text, got {array.dtype}")
    return read_only(array)


_AS_LIST = PlainSerializer(lambda array: array.tolist(), when_used="json")

Labels = Annotated[NDArray[np.int64], _numbers(np.int64, "N"), _AS_LIST]
"""N int64 class indices."""
Flags = Annotated[NDArray[np.bool_], _numbers(np.bool_, "N"), _AS_LIST]
"""N booleans."""
Scores = Annotated[NDArray[np.float64], _numbers(np.float64, "N", finite=False), _AS_LIST]
"""N float64, NaN where nothing is known."""
Indices = Annotated[NDArray[np.int64], _numbers(np.int64, "N × k"), _AS_LIST]
"""N × k int64 row numbers."""
Matrix = Annotated[NDArray[np.float32], _numbers(np.float32, "N × D"), _AS_LIST]
"""N × D finite float32."""
Curves = Annotated[NDArray[np.float32], _numbers(np.float32, "N × E", gaps=True), _AS_LIST]
"""N × E float32, NaN in epochs in which a sample was not seen."""
Tensor3 = Annotated[NDArray[np.float16], _numbers(np.float16, "N × E × K"), _AS_LIST]
"""N × E × K finite float16."""
SquareMatrix = Annotated[NDArray[np.float64], _numbers(np.float64, "K × K"), _AS_LIST]
"""K × K finite float64."""
Texts = Annotated[NDArray[np.str_], BeforeValidator(_text), _AS_LIST]
"""N texts of one fixed width."""
