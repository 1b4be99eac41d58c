"""Images as files: as cameras and shops write them, and a few of the odd kinds of the web."""

import io
from typing import Literal

import numpy as np
from PIL import ExifTags, Image

Kind = Literal["jpeg", "png", "turned", "grey", "palette", "deep", "alpha"]
ODD: tuple[Kind, ...] = ("turned", "grey", "palette", "deep", "alpha")
"""JPEG that EXIF says to turn, grey JPEG, PNG with a palette, of 16 bits, and with a margin to see
through."""

COLORLESS: frozenset[Kind] = frozenset(("grey", "deep"))
JPEG: frozenset[Kind] = frozenset(("jpeg", "turned", "grey"))
NEAR_SCALE, _NEAR_LIGHT, _NEAR_QUALITY = 0.8, 1.04, 72
_TO_BE_TURNED_RIGHT = 6
_MARGIN = 6


def mime_of(kind: Kind) -> str:
    """Return the MIME type of a kind of file."""
    return "image/jpeg" if kind in JPEG else "image/png"


def encoded(image: Image.Image, kind: Kind, quality: int = 88) -> bytes:
    """Return an image as a file.

    Args:
        image: in RGB.
        kind: of the file.
        quality: of a JPEG.
    """
    exif = Image.Exif()
    if kind == "turned":
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[ExifTags.Base.Orientation] = _TO_BE_TURNED_RIGHT
    elif kind == "grey":
        image = image.convert("L")
    elif kind == "palette":
        image = image.quantize(128)
    elif kind == "deep":
        image = Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257)
    elif kind == "alpha":
        opaque = Image.new("L", image.size)
        box = (_MARGIN, _MARGIN, image.width - _MARGIN, image.height - _MARGIN)
        opaque.paste(255, box)
        image = image.copy()
        image.putalpha(opaque)
    file = io.BytesIO()
    if kind in JPEG:
        image.save(file, "JPEG", quality=quality, exif=exif)
    else:
        image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def near_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a near duplicate of an image."""
    return round(size[0] * NEAR_SCALE), round(size[1] * NEAR_SCALE)


def near(image: Image.Image) -> bytes:
    """Return a near duplicate: smaller, a little brighter, and written with less care."""
    smaller = image.resize(near_size(image.size), Image.Resampling.BICUBIC)
    return encoded(smaller.point(lambda value: value * _NEAR_LIGHT), "jpeg", _NEAR_QUALITY)
