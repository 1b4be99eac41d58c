"""Images as lazy sequences: files that are decoded when asked for, or one array."""

import io
import os
import shutil
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from adc_core.arrays import Array, Texts, read_only
from adc_core.errors import InputError
from adc_core.fingerprint import fingerprint, hash_array, hash_file

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded: a small file can hold a huge one."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
"""The picture formats that are opened; anything else is refused by its content."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"})
"""File names that an image folder is searched for."""

Pixels = NDArray[np.uint8]

Unusable = Literal["not an image", "damaged", "too large", "unreadable"]

# The rule about size is `MAX_PIXELS`; Pillow's warning comes at another size.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class ImageError(InputError):
    """A file is not an image that can be used; the message says why.

    Attributes:
        reason: which way it cannot be used.
        detail: what the decoder said, or nothing.
    """

    def __init__(self, message: str, reason: Unusable, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(message)


def open_image(source: Path | bytes, name: str = "", max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a picture: orientation applied, alpha on white, converted to RGB.

    Args:
        source: a file, or its bytes.
        name: what to call the picture in an error.
        max_pixels: width × height beyond which it is refused undecoded.

    Raises:
        ImageError: not a picture, damaged, or too large.
    """
    name = name or (str(source) if isinstance(source, Path) else "image")
    file: BinaryIO | Path = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise ImageError(
                    f"{name} has {image.width} × {image.height} pixels, more than "
                    f"{max_pixels:,}: a decompression bomb, or shrink it first",
                    "too large",
                )
            image.load()
            return _as_rgb(ImageOps.exif_transpose(image))
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture: replace or remove it", "not an image") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(f"{name} is a decompression bomb: remove it", "too large") from None
    except FileNotFoundError:
        message = f"{name} is missing: put it back or remove its row"
        raise ImageError(message, "unreadable") from None
    except PermissionError:
        message = f"{name} cannot be read: allow it, or remove its row"
        raise ImageError(message, "unreadable") from None
    except Exception as error:  # Pillow's decoders raise whatever broken bytes lead them to
        message = f"{name} is damaged ({error}): replace or remove it"
        raise ImageError(message, "damaged", str(error)) from None


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, dtype=np.float64)
        image = Image.fromarray(
            (values / (257 if values.max() > 255 else 1)).clip(0, 255).astype(np.uint8)
        )
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


class Images(ABC):
    """N pictures; `images[i]` is height × width × 3 uint8 RGB, decoded when asked for."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, row: int) -> Pixels: ...

    @abstractmethod
    def take(self, rows: Array) -> "Images":
        """The pictures of some rows, in that order."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 over the pictures' bytes, in order; where they lie does not matter."""

    def __iter__(self) -> Iterator[Pixels]:
        return (self[row] for row in range(len(self)))

    def thumbnail(self, row: int, size: int) -> Image.Image:
        """A square picture for a report: shrunk, then padded with white."""
        image = Image.fromarray(self[row])
        return ImageOps.pad(image, (size, size), Image.Resampling.LANCZOS, color="white")

    def resized(self, size: int, rows: Array | None = None) -> Pixels:
        """Pictures of one size, for a network: n × size × size × 3 uint8.

        The shorter side is scaled to `size` and the middle is kept. Decoding runs in threads.
        """
        wanted = np.arange(len(self)) if rows is None else np.asarray(rows)
        out = np.empty((len(wanted), size, size, 3), np.uint8)

        def fill(place: int) -> None:
            pixels = self[int(wanted[place])]
            if pixels.shape[:2] != (size, size):
                image = Image.fromarray(pixels)
                pixels = np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))
            out[place] = pixels

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for _ in threads.map(fill, range(len(wanted))):
                pass
        return out


class ImageFiles(Images):
    """Pictures in files below one folder.

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
        return np.asarray(open_image(self.path(row)))

    def path(self, row: int) -> Path:
        """The file of one row."""
        return self.root / str(self.paths[row])

    def take(self, rows: Array) -> "ImageFiles":
        """The pictures of some rows, in that order."""
        return ImageFiles(self.root, self.paths[rows])

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
            return hash_file(self.path(row))
        except OSError as error:
            message = f"{self.path(row)} cannot be read: {error.strerror}"
            raise ImageError(message, "unreadable") from None

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
                _put(self.path(row), target, link)
        return paths


def _inside(row: int, path: str) -> str:
    """A relative path as it is; another one, or one that no list of sums can hold, by its row."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or not path.isprintable():
        return f"from outside/{row}{PurePosixPath(path).suffix}"
    return path


def _put(source: Path, target: Path, link: bool) -> None:
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
    """Pictures in one array, in memory or memory-mapped.

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

    def resized(self, size: int, rows: Array | None = None) -> Pixels:
        """Pictures of one size; see `Images.resized`."""
        if self.array.shape[1:] == (size, size, 3):
            return np.array(self.array if rows is None else self.array[rows])
        return super().resized(size, rows)

    def take(self, rows: Array) -> "ImageArray":
        """The pictures of some rows, in that order."""
        return ImageArray(self.array[rows])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the array's bytes."""
        return hash_array(self.array)
