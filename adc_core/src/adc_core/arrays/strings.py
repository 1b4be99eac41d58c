"""Columns of text between numpy and Arrow, without a Python object per row.

Arrow's functions are slow to import and arrays alone do not need them: hence within functions.
"""

import numpy as np
import pyarrow as pa

from adc_core.arrays.validation import Array, chunks


def to_arrow(texts: Array) -> pa.Array:
    """Convert N fixed-width numpy strings to an Arrow string array."""
    return pa.array(texts, pa.string())


def are_distinct(texts: Array) -> bool:
    """Tell whether all strings differ; the hashes decide where they are distinct."""
    if len(np.unique(_hashes(texts))) == len(texts):
        return True
    import pyarrow.compute as pc

    return bool(pc.count_distinct(to_arrow(texts)).as_py() == len(texts))


def first_repeated(texts: Array) -> int | None:
    """Return the first row whose string occurs in an earlier row, or None."""
    if are_distinct(texts):
        return None
    _, first = np.unique(texts, return_index=True)
    return int(np.setdiff1d(np.arange(len(texts)), first)[0])


def _hashes(texts: Array) -> Array:
    """Return N uint64: the same for equal strings, nearly always different for others."""
    letters = texts.dtype.itemsize // 4
    factors = np.random.default_rng(0).integers(0, 1 << 64, letters, np.uint64) | np.uint64(1)
    hashes = np.empty(len(texts), np.uint64)
    for part in chunks(len(texts), 2 * 8 * letters):
        words = np.ascontiguousarray(texts[part]).view(np.uint32).reshape(-1, letters)
        hashes[part] = (words * factors).sum(axis=1, dtype=np.uint64)
    return hashes


def from_arrow(column: pa.ChunkedArray | pa.Array) -> Array:
    """Convert an Arrow string column to N fixed-width numpy strings; nulls become empty."""
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # combine_chunks may split what is over 2 GiB
        return np.concatenate([from_arrow(chunk) for chunk in column.chunks])
    column = column.cast(pa.string()).fill_null("")
    if not len(column) or not pc.all(pc.string_is_ascii(column)).as_py():
        return np.asarray(column.to_pylist(), dtype=np.str_)
    _, offset_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[
        column.offset : column.offset + len(column) + 1
    ]
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer else np.zeros(0, np.uint8)
    lengths = np.diff(offsets)
    width = max(1, int(lengths.max()))
    letters = np.zeros((len(column), width), np.uint32)
    used = data[offsets[0] : offsets[-1]]
    if (lengths == width).all():
        letters[:] = used.reshape(-1, width)
    else:
        letters[np.arange(width) < lengths[:, None]] = used
    texts: Array = letters.view(f"<U{width}").reshape(-1)
    return texts
