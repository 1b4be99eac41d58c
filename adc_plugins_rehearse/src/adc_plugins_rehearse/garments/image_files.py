"""Pictures as files: as cameras and shops write them, and a few of the odd kinds of the web."""

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
    """The MIME type of a kind of file."""
    return "image/jpeg" if kind in JPEG else "image/png"


def encoded(picture: Image.Image, kind: Kind, quality: int = 88) -> bytes:
    """A picture as a file.

    Args:
        picture: in RGB.
        kind: of the file.
        quality: of a JPEG.
    """
    exif = Image.Exif()
    if kind == "turned":
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        exif[ExifTags.Base.Orientation] = _TO_BE_TURNED_RIGHT
    elif kind == "grey":
        picture = picture.convert("L")
    elif kind == "palette":
        picture = picture.quantize(128)
    elif kind == "deep":
        picture = Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)
    elif kind == "alpha":
        opaque = Image.new("L", picture.size)
        box = (_MARGIN, _MARGIN, picture.width - _MARGIN, picture.height - _MARGIN)
        opaque.paste(255, box)
        picture = picture.copy()
        picture.putalpha(opaque)
    file = io.BytesIO()
    if kind in JPEG:
        picture.save(file, "JPEG", quality=quality, exif=exif)
    else:
        picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def near_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a near duplicate of a picture."""
    return round(size[0] * NEAR_SCALE), round(size[1] * NEAR_SCALE)


def near(picture: Image.Image) -> bytes:
    """A near duplicate: smaller, a little brighter, and written with less care."""
    smaller = picture.resize(near_size(picture.size), Image.Resampling.BICUBIC)
    return encoded(smaller.point(lambda value: value * _NEAR_LIGHT), "jpeg", _NEAR_QUALITY)
