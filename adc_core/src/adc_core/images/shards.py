"""Images as members of tar files, each read by its place: no archive is ever searched.

A million small files are slow to list, copy and checksum; a thousand tar files of a thousand images
are not. A shard never changes once it has its name, so that it can be shared by hard links.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from adc_core.arrays.hashing import fingerprint
from adc_core.arrays.strings import from_arrow, to_arrow
from adc_core.arrays.validation import Array, Texts, read_only
from adc_core.errors import InputError
from adc_core.images.sequence import Images, Pixels, put_file

INDEX = "index.parquet"
"""Where each row's image is, beside the shards of a saved dataset."""


class ImageShards(Images):
    """Images within tar files below one folder.

    Reading an image opens its shard for that moment only, so that any number of threads and
    processes read at the same time and no file stays open.

    Args:
        root: the folder.
        names: the shards' file names, relative to the root.
        shard: N places among the names.
        offset: N first bytes of the images within their shards.
        size: N lengths of the images in bytes.
        sums: SHA-256 of each image, where they are known; else they are read when asked for.

    Raises:
        InputError: the columns do not fit together.
    """

    def __init__(
        self,
        root: Path,
        names: Sequence[str],
        shard: Array | Sequence[int],
        offset: Array | Sequence[int],
        size: Array | Sequence[int],
        sums: Texts | NDArray[np.bytes_] | Sequence[str] | None = None,
    ) -> None:
        self.root = Path(root)
        self.names = tuple(names)
        self.shard, self.offset, self.size = (
            read_only(np.asarray(column, dtype=np.int64)) for column in (shard, offset, size)
        )
        # One byte per digit: a million sums are 64 MB, and four times that as texts.
        self._known = None if sums is None else read_only(np.asarray(sums, dtype="S64"))
        lengths = {len(self.shard), len(self.offset), len(self.size)}
        if self._known is not None:
            lengths.add(len(self._known))
        if len(lengths) > 1:
            raise InputError(f"image shards: columns of {sorted(lengths)} rows: give one length")
        if len(self) and not (
            self.shard.min() >= 0
            and self.shard.max() < len(self.names)
            and min(self.offset.min(), self.size.min()) >= 0
        ):
            raise InputError("image shards: an image is outside every shard: fix the index")

    def __len__(self) -> int:
        return len(self.shard)

    def __getitem__(self, row: int) -> Pixels:
        from adc_core.images.decoding import open_image

        return np.asarray(open_image(self.read(row), self._name(row)))

    def read(self, row: int) -> bytes:
        """Return the bytes of one image, as they are stored.

        Raises:
            ImageError: the shard is missing, unreadable or cut.
        """
        from adc_core.images.decoding import ImageError

        path = self.root / self.names[self.shard[row]]
        size = int(self.size[row])
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(int(self.offset[row]))
                data: bytes = file.read(size)
        except OSError as error:
            message = f"{self._name(row)} cannot be read: {error.strerror}"
            raise ImageError(message, "unreadable") from None
        if len(data) != size:
            message = f"{self._name(row)} is cut off: {path.name} has been changed, put it back"
            raise ImageError(message, "unreadable")
        return data

    def encoded(self, row: int) -> tuple[bytes, str]:
        """Return the bytes of one image, and the suffix of its format."""
        from adc_core.images.decoding import suffix_of

        data = self.read(row)
        return data, suffix_of(data)

    def _name(self, row: int) -> str:
        return f"{self.root / self.names[self.shard[row]]} at byte {self.offset[row]}"

    def take(self, rows: Array) -> "ImageShards":
        """Return the images of some rows, in that order."""
        known = None if self._known is None else self._known[rows]
        return ImageShards(
            self.root, self.names, self.shard[rows], self.offset[rows], self.size[rows], known
        )

    @property
    def sums(self) -> list[str]:
        """SHA-256 of each image, in order."""
        return [digits.decode() for digits in self._sums.tolist()]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the images' bytes, in order; that of the same images in files."""
        return fingerprint(self.sums)

    @cached_property
    def _sums(self) -> Array:
        if self._known is not None:
            return self._known
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = list(threads.map(self._hash, range(len(self))))
        return read_only(np.asarray(found, dtype="S64"))

    def _hash(self, row: int) -> str:
        return sha256(self.read(row)).hexdigest()

    def save(self, folder: Path, *, link: bool = False) -> None:
        """Put the shards that are used, and the index, into a folder.

        Args:
            folder: where to put them; shards from outside the root get names of their own.
            link: share the bytes where the file system can.
        """
        folder.mkdir(parents=True, exist_ok=True)
        used, shard = np.unique(self.shard, return_inverse=True)
        names = [_inside(number, self.names[place]) for number, place in enumerate(used.tolist())]
        for name, place in zip(names, used.tolist(), strict=True):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            put_file(self.root / self.names[place], target, link)
        index = {
            "shard": pa.DictionaryArray.from_arrays(
                pa.array(shard.astype(np.int32)), to_arrow(np.asarray(names, dtype=np.str_))
            ),
            "offset": pa.array(self.offset),
            "size": pa.array(self.size),
            "sha256": pa.array(self.sums, pa.string()),
        }
        import pyarrow.parquet as pq  # as below

        pq.write_table(pa.table(index), folder / INDEX)

    @classmethod
    def load(cls, folder: Path) -> "ImageShards":
        """Load the images that `save` put into a folder.

        Raises:
            OSError: the index is missing.
            ValueError: the index is no index, or leads out of the folder.
        """
        import pyarrow.parquet as pq  # loads the clients of every cloud's storage: 9 MB

        index = pq.read_table(folder / INDEX)
        # Read back plain: a dictionary may have been written in several pieces.
        names, shard = np.unique(from_arrow(index["shard"].cast(pa.string())), return_inverse=True)
        for number, name in enumerate(names.tolist()):
            if _inside(number, name) != name:
                raise ValueError(f"{INDEX} names {name!r}, which is not a file beside it")
        return cls(
            folder,
            names.tolist(),
            shard,
            index["offset"].to_numpy(),
            index["size"].to_numpy(),
            from_arrow(index["sha256"]),
        )


def _inside(number: int, name: str) -> str:
    parts = PurePosixPath(name).parts
    if name == INDEX or name.startswith("/") or ".." in parts or not name.isprintable():
        return f"from outside/{number}.tar"
    return name
