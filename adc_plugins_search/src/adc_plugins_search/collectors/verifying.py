"""From untrusted bytes to a stored picture: decoded in full, upright, RGB, of one size."""

import io
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from PIL import Image

from adc_core.decoding import ImageError, open_image
from adc_core.errors import WorkError
from adc_plugins_search.collectors.outcomes import Reason, RefusedError, Stored

PART = ".part"
LONGEST_SIDE = 65_500
"""A JPEG cannot be longer."""


@dataclass(frozen=True)
class PictureRules:
    """What a picture must be, and how it is stored.

    Attributes:
        size: length of the shorter side when stored; smaller pictures stay as they are.
        min_side: a picture with a shorter side is refused.
        max_pixels: a picture with more is refused undecoded.
    """

    size: int
    min_side: int
    max_pixels: int


def store_picture(data: bytes, rules: PictureRules, path: Path) -> Stored:
    """Check a picture and store it as a JPEG without metadata, whole or not at all.

    Raises:
        RefusedError: the bytes are no picture that can be used.
        WorkError: the file cannot be written.
    """
    picture = _decode(data, rules.max_pixels)
    width, height = picture.size
    if min(width, height) < rules.min_side:
        raise RefusedError(
            Reason.TOO_SMALL, f"{width} × {height} pixels, less than {rules.min_side}"
        )
    picture = _shrink(picture, rules.size)
    if max(picture.size) > LONGEST_SIDE:
        raise RefusedError(Reason.TOO_MANY_PIXELS, f"a side of more than {LONGEST_SIDE:,}")
    encoded = _encode(picture)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + PART)
        part.write_bytes(encoded)
        part.replace(path)
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror}") from error
    return Stored(width, height, len(data), sha256(data).hexdigest(), sha256(encoded).hexdigest())


def _decode(data: bytes, max_pixels: int) -> Image.Image:
    try:
        return open_image(data, "it", max_pixels)
    except ImageError as error:
        if error.reason == "not an image":
            start = data[:20].decode("ascii", "replace").strip()
            raise RefusedError(Reason.NOT_AN_IMAGE, f"begins with {start!r}") from None
        if error.reason == "too large":
            raise RefusedError(Reason.TOO_MANY_PIXELS, f"more than {max_pixels:,}") from None
        raise RefusedError(Reason.DAMAGED, error.detail) from None


def _shrink(picture: Image.Image, size: int) -> Image.Image:
    shorter = min(picture.size)
    if shorter <= size:
        return picture
    width, height = (max(1, round(side * size / shorter)) for side in picture.size)
    # Lanczos costs twice as much; a gap of 3 leaves the filter enough pixels for fine patterns.
    return picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)


def _encode(picture: Image.Image) -> bytes:
    picture.info.clear()  # else Pillow keeps a comment
    file = io.BytesIO()
    # Full colour resolution: colour is an attribute that datasets are built on.
    picture.save(file, "JPEG", quality=95, subsampling="4:4:4")
    return file.getvalue()
