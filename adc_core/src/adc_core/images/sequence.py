"""Images as lazy sequences: files that are decoded when asked for, or one array."""

import os
import shutil
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from adc_core.arrays.hashing import fingerprint, hash_array, hash_file
from adc_core.arrays.validation import Array, Texts, read_only
from adc_core.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"})
"""File names that an image folder is searched for."""

Pixels = NDArray[np.uint8]


class Images(ABC):
    """N images; `images[i]` is height × width × 3 uint8 RGB, decoded when asked for."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, row: int) -> Pixels: ...

    @abstractmethod
    def take(self, rows: Array) -> "Images":
        """Return the images of some rows, in that order."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 over the images' bytes, in order; their place does not matter."""

    @property
    def sums(self) -> list[str]:
        """SHA-256 of each image's bytes, in order."""
        return [sha256(self.encoded(row)[0]).hexdigest() for row in range(len(self))]

    def __iter__(self) -> Iterator[Pixels]:
        return (self[row] for row in range(len(self)))

    def check(self, row: int) -> None:
        """Find out whether an image can be decoded, for less than decoding it costs.

        Raises:
            ImageError: it cannot; the message says why.
        """
        from adc_core.images.decoding import check_image

        check_image(self.encoded(row)[0])

    def encoded(self, row: int) -> tuple[bytes, str]:
        """Return an image as the bytes of a file, stored or PNG, and the suffix of its format."""
        from adc_core.images.decoding import encode_png

        return encode_png(self[row]), ".png"

    def thumbnail(self, row: int, size: int) -> "Image.Image":
        """Return a square image for a report: shrunk, then padded with white."""
        from adc_core.images.decoding import pad_to_square

        return pad_to_square(self[row], size)

    def small(self, row: int, side: int) -> tuple["Image.Image", tuple[int, int]]:
        """Shrink an image until its longer side is `side`; give its width and height before."""
        from adc_core.images.decoding import open_small

        return open_small(self.encoded(row)[0], side)

    def resized(
        self, size: int, rows: Array | None = None, *, threads: int | None = None
    ) -> Pixels:
        """Return images of one size, for a network: n × size × size × 3 uint8.

        The shorter side is scaled to `size` and the middle is kept.

        Args:
            size: in pixels.
            rows: which images, and in which order; without them all.
            threads: that decode; as many as there are processors by default.
        """
        from adc_core.images.decoding import cut_to_square

        wanted = np.arange(len(self)) if rows is None else np.asarray(rows)
        out = np.empty((len(wanted), size, size, 3), np.uint8)

        def fill(place: int) -> None:
            pixels = self[int(wanted[place])]
            out[place] = pixels if pixels.shape[:2] == (size, size) else cut_to_square(pixels, size)

        with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
            for _ in pool.map(fill, range(len(wanted))):
                pass
        return out


class ImageFiles(Images):
    """Images in files below one folder.

    Args:
        root: the folder.
        paths: N texts, relative to the root.
    """

    def __init__(self, root: Path, paths: Texts | Sequence[str]) -> None:
        self.root = Path(root)
        self.paths: Array = read_only(np.asarray(paths, dtype=np.str_))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> Pixels:
        from adc_core.images.decoding import open_image

        return np.asarray(open_image(self.path(row)))

    def check(self, row: int) -> None:
        """Find out whether a file can be decoded; see `Images.check`."""
        from adc_core.images.decoding import check_image

        check_image(self.path(row))

    def path(self, row: int) -> Path:
        """Return the file of one row."""
        return self.root / str(self.paths[row])

    def encoded(self, row: int) -> tuple[bytes, str]:
        """Return the bytes of a file as stored, and its suffix."""
        from adc_core.images.decoding import ImageError, suffix_of

        path = _regular(self.path(row))
        try:
            data = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from None
        if not suffix_of(data[:_SIGNED]):
            raise ImageError(f"{path} is not an image: replace or remove it", "not an image")
        return data, path.suffix.lower()

    def take(self, rows: Array) -> "ImageFiles":
        """Return the images of some rows, in that order."""
        taken = ImageFiles(self.root, self.paths[rows])
        if "sums" in self.__dict__:  # hashed once is enough
            taken.__dict__["sums"] = np.asarray(self.sums)[rows].tolist()
        return taken

    @cached_property
    def sums(self) -> list[str]:
        """SHA-256 of each file, in order."""
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            return list(threads.map(self._hash, range(len(self))))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the files' bytes, in order."""
        return fingerprint(self.sums)

    def _hash(self, row: int) -> str:
        try:
            return hash_file(_regular(self.path(row)))
        except OSError as error:
            raise _unreadable(self.path(row), error) from None

    def save(self, folder: Path, *, link: bool = False) -> list[str]:
        """Put the files below a folder; return their paths there.

        Args:
            folder: where to put them, under their relative paths; a file from outside the root
                gets a name of its own, so that nothing is ever written beside the folder.
            link: share the bytes where the file system can, for files that nobody else changes.
        """
        paths = [_inside(row, str(path)) for row, path in enumerate(self.paths)]
        for row, path in enumerate(paths):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                put_file(_regular(self.path(row)), target, link)
        return paths


_SIGNED = 16
"""How many bytes at the beginning of an image show its format."""


def _regular(path: Path) -> Path:
    """Refuse what is no plain file: a device has no end, and a FIFO may have no beginning."""
    from adc_core.images.decoding import ImageError

    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(mode):
        raise ImageError(f"{path} is not a file: remove it", "unreadable")
    return path


def _unreadable(path: Path, error: OSError) -> InputError:
    from adc_core.images.decoding import ImageError

    return ImageError(f"{path} cannot be read: {error.strerror}", "unreadable")


def _inside(row: int, path: str) -> str:
    """Return a path within the folder; one that leads out or is not printable is named by row."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or not path.isprintable():
        return f"from outside/{row}{PurePosixPath(path).suffix}"
    return path


def save_encoded(images: Images, folder: Path) -> list[str]:
    """Put images of any kind below a folder as files, a thousand in each; return their paths."""
    paths = []
    for row in range(len(images)):
        content, suffix = images.encoded(row)
        path = folder / f"{row // 1000:06}" / f"{row:09}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path.relative_to(folder).as_posix())
    return paths


def put_file(source: Path, target: Path, link: bool) -> None:
    """Copy a file, or share its bytes where that is allowed and the file system can."""
    if link:
        try:
            os.link(source.resolve(), target)
            return
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            pass
    shutil.copyfile(source, target)


class ImageArray(Images):
    """Images in one array, in memory or memory-mapped.

    Args:
        array: N × height × width (grey) or N × height × width × 3 (RGB) uint8.

    Raises:
        InputError: another shape or type.
    """

    def __init__(self, array: Array) -> None:
        rgb = array.ndim == 4 and array.shape[3] == 3
        if array.dtype != np.uint8 or not (array.ndim == 3 or rgb):
            raise InputError(
                "images: expected uint8 of N × height × width (× 3), "
                f"got {array.dtype} {array.shape}"
            )
        self.array = read_only(array)

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, row: int) -> Pixels:
        pixels: Pixels = np.asarray(self.array[row])
        return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)

    def resized(
        self, size: int, rows: Array | None = None, *, threads: int | None = None
    ) -> Pixels:
        """Return images of one size; see `Images.resized`."""
        if self.array.shape[1:] == (size, size, 3):
            return np.array(self.array if rows is None else self.array[rows])
        return super().resized(size, rows, threads=threads)

    def check(self, row: int) -> None:
        """Do nothing: pixels that are there need no check."""

    def small(self, row: int, side: int) -> tuple["Image.Image", tuple[int, int]]:
        """Shrink an image; see `Images.small`."""
        from adc_core.images.decoding import shrink

        return shrink(self[row], side)

    def take(self, rows: Array) -> "ImageArray":
        """Return the images of some rows, in that order."""
        return ImageArray(self.array[rows])

    @cached_property
    def sums(self) -> list[str]:
        """SHA-256 of each image's pixels, in order."""
        shape = str(self.array.shape[1:]).encode()
        return [
            sha256(shape + np.ascontiguousarray(row).tobytes()).hexdigest() for row in self.array
        ]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the array's bytes."""
        return hash_array(self.array)
