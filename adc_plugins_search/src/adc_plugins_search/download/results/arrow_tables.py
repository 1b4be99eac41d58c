"""Tables from rows that come one by one: some thousand are held, the rest is on disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from adc_core import WorkError
from adc_plugins_search.download.images.shards import PART

_ROWS = 4_000


class RowBatches:
    """Gathers rows and passes them on as record batches.

    Args:
        schema: names and types of the rows' values, in order.
        take: takes each batch.
    """

    def __init__(self, schema: pa.Schema, take: Callable[[pa.RecordBatch], None]) -> None:
        self._schema = schema
        self._take = take
        self._rows: list[tuple[object, ...]] = []

    def add(self, row: tuple[object, ...]) -> None:
        """Take a row."""
        self._rows.append(row)
        if len(self._rows) == _ROWS:
            self.flush()

    def flush(self) -> None:
        """Pass on what is left."""
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [pa.array(c, k.type) for c, k in zip(columns, self._schema, strict=True)]
            self._take(pa.record_batch(arrays, schema=self._schema))
            self._rows.clear()


@contextmanager
def table_file(path: Path, schema: pa.Schema) -> Iterator[RowBatches]:
    """Take the rows of a `.parquet` or `.arrow` file, which gets its name when it is whole.

    Raises:
        WorkError: it cannot be written.
    """
    part = path.with_name(path.name + PART)
    try:
        with part.open("wb") as file, _writer(path.suffix, file, schema) as writer:
            rows = RowBatches(schema, writer.write_batch)
            yield rows
            rows.flush()
        part.replace(path)
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _writer(suffix: str, file: BinaryIO, schema: pa.Schema) -> Any:
    if suffix == ".arrow":
        return pa.ipc.new_file(file, schema)
    import pyarrow.parquet as pq  # loads the clients of every cloud's storage: 9 MB

    return pq.ParquetWriter(file, schema)


def take_table(path: Path) -> pa.Table:
    """Return the table of an `.arrow` file, and unlink it: its bytes stay as long as the table.

    What is not looked at takes no memory.
    """
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    path.unlink()
    return table


@contextmanager
def small_tables() -> Iterator[None]:
    """Let tables take what they need: Arrow's own pool keeps megabytes for each thread."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)
