"""One hash for every value that flows through a pipeline.

Arrays are hashed by dtype, shape and bytes, tables column by column, records by their own
fingerprints; never by `repr`, which numpy shortens.
"""

import io
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from adc_core.arrays.strings import to_arrow
from adc_core.arrays.validation import Array, chunks


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of a value, as 64 hexadecimal digits.

    Raises:
        TypeError: a value of a kind that no record holds.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return _hash("scalar", json.dumps(value))
    if own := getattr(value, "fingerprint", None):
        return str(own)
    if isinstance(value, np.ndarray):
        return _hash_texts(value) if value.dtype.kind == "U" else hash_array(value)
    if isinstance(value, pa.Table):
        return _hash_table(value)
    if isinstance(value, Path):
        return _hash("path", str(value))
    if isinstance(value, Mapping):
        return _hash("map", *(part for k, v in value.items() for part in (str(k), fingerprint(v))))
    if isinstance(value, Sequence):
        return _hash("list", *(fingerprint(item) for item in value))
    raise TypeError(f"{type(value).__name__} has no fingerprint")


def hash_array(array: Array) -> str:
    """Return the SHA-256 of the `.npy` file that holds an array: its type, shape and bytes.

    The array is read in chunks, so that memory maps stay on disk. Saving it costs no second hash.
    """
    array = np.asarray(array)
    header = io.BytesIO()
    layout = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(header, layout)
    digest = sha256(header.getvalue())
    rows = array.reshape(1) if array.ndim == 0 else array
    for part in chunks(len(rows), rows[:1].nbytes):
        digest.update(np.ascontiguousarray(rows[part]).data.cast("B"))
    return digest.hexdigest()


def save_array(array: Array, path: Path) -> None:
    """Write an array as the `.npy` file whose sum is `hash_array`."""
    with path.open("wb") as file:
        layout = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(file, layout)
        for part in chunks(len(array), array[:1].nbytes):
            file.write(np.ascontiguousarray(array[part]).data.cast("B"))


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()


def _hash_texts(texts: Array) -> str:
    # Through Arrow, so that the same texts hash alike whatever width numpy gave them.
    return _hash_column("texts", pa.chunked_array([to_arrow(texts)]))


def _hash_table(table: pa.Table) -> str:
    return _hash(*(_hash_column(name, table[name]) for name in table.column_names))


def _hash_column(name: str, column: pa.ChunkedArray) -> str:
    import pyarrow.compute as pc  # slow to import, and arrays alone do not need it

    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    digest = sha256(f"column {name} {array.type} {len(array)} ".encode())
    if array.null_count:
        digest.update(np.asarray(pc.is_null(array)).tobytes())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.fill_null("")
        digest.update(np.ascontiguousarray(pc.binary_length(array)).astype(np.int64).tobytes())
        buffer = array.buffers()[2]
        if buffer is not None and len(array):
            width = np.int32 if pa.types.is_string(array.type) else np.int64
            offsets = np.frombuffer(array.buffers()[1], width)
            first, last = offsets[array.offset], offsets[array.offset + len(array)]
            digest.update(memoryview(buffer)[first:last])
    elif pa.types.is_nested(array.type) or pa.types.is_null(array.type):
        digest.update(json.dumps(array.to_pylist(), sort_keys=True, default=str).encode())
    else:
        filled = array.fill_null(pa.scalar(0).cast(array.type)) if array.null_count else array
        digest.update(np.ascontiguousarray(filled.to_numpy(zero_copy_only=False)).data.cast("B"))
    return digest.hexdigest()
