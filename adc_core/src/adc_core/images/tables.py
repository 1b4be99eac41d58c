"""Images as cells of Parquet files, as Hugging Face hosts them, read in place."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from adc_core.arrays.validation import Array, read_only
from adc_core.images.sequence import Images, Pixels

_KEPT = 4
"""Row groups that stay in memory: images are mostly read in their order, by several threads."""


class ImageTables(Images):
    """Images in a column of Parquet files below one folder.

    An image is read with its whole row group, a hundred images in files that are made for them,
    so reading them in their order is quick and at random is slow.

    Args:
        root: the folder.
        names: the files' names, relative to the root.
        column: a struct with the field `bytes`.
        file: N places among the names.
        group: N row groups within their files.
        place: N rows within their row groups.
    """

    def __init__(
        self,
        root: Path,
        names: Sequence[str],
        column: str,
        file: Array | Sequence[int],
        group: Array | Sequence[int],
        place: Array | Sequence[int],
    ) -> None:
        self.root, self.names, self.column = Path(root), tuple(names), column
        self.file, self.group, self.place = (
            read_only(np.asarray(numbers, dtype=np.int64)) for numbers in (file, group, place)
        )

    def __len__(self) -> int:
        return len(self.file)

    def __getitem__(self, row: int) -> Pixels:
        from adc_core.images.decoding import open_image

        return np.asarray(open_image(self.read(row), self._name(row)))

    def read(self, row: int) -> bytes:
        """Return the bytes of one image, as they are stored.

        Raises:
            ImageError: its cell is empty, or the file is missing, unreadable or cut.
        """
        from adc_core.images.decoding import ImageError

        path = self.root / self.names[self.file[row]]
        try:
            group = _row_group(path, self.column, int(self.group[row]))
            data = group[int(self.place[row])].as_py()
        except (OSError, pa.ArrowException, IndexError) as error:
            message = f"{self._name(row)} cannot be read: {str(error).splitlines()[0]}"
            raise ImageError(message, "unreadable") from None
        if not data:
            raise ImageError(f"{self._name(row)} is empty: remove its row", "unreadable")
        return bytes(data)

    def encoded(self, row: int) -> tuple[bytes, str]:
        """Return the bytes of one image, and the suffix of its format."""
        from adc_core.images.decoding import suffix_of

        data = self.read(row)
        return data, suffix_of(data)

    def take(self, rows: Array) -> "ImageTables":
        """Return the images of some rows, in that order."""
        numbers = (self.file[rows], self.group[rows], self.place[rows])
        return ImageTables(self.root, self.names, self.column, *numbers)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the images' bytes, in order; that of the same images in files."""
        from adc_core.arrays.hashing import fingerprint

        return fingerprint(self.sums)

    def _name(self, row: int) -> str:
        path = self.root / self.names[self.file[row]]
        return f"{path}, image {self.place[row]} of row group {self.group[row]}"


@lru_cache(maxsize=_KEPT)
def _row_group(path: Path, column: str, group: int) -> pa.ChunkedArray:
    """Return the images of one row group, as bytes."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        table = file.read_row_group(group, columns=[f"{column}.bytes"])
    return pc.struct_field(table[column], "bytes")
