"""Images as they are sent: small JPEGs without anything but pixels."""

import io
from base64 import b64encode
from collections.abc import Sequence
from functools import partial

from PIL import Image

from adc_core import InputError
from adc_core.images import Images
from adc_endpoint import SentImage, ShownImage

_LEAST_SIDE = 224
"""Smaller images are enlarged: models that look at patches see nothing in 32 pixels."""

_QUALITY = 90


class UndecodableError(Exception):
    """An image cannot be shown, since it cannot be decoded."""


def sent_image(images: Images, row: int, sha256: str, side: int) -> SentImage:
    """Return an image as it is sent: upright, first frame, white for transparency, no metadata.

    Args:
        images: where it is.
        row: its row there.
        sha256: of what is stored.
        side: pixels of the longest side at most.
    """
    return SentImage(ShownImage(sha256, side), partial(_data_uri, images, row, side))


def _data_uri(images: Images, row: int, side: int) -> str:
    """Encode one image.

    Raises:
        UndecodableError: it cannot be decoded.
    """
    try:
        image, _ = images.small(row, side)
    except InputError as error:
        raise UndecodableError(str(error)) from None
    image = image.convert("RGB")
    if (longest := max(image.size)) < min(side, _LEAST_SIDE):
        scale = min(side, _LEAST_SIDE) / longest
        size = tuple(max(1, round(length * scale)) for length in image.size)
        image = image.resize((size[0], size[1]), Image.Resampling.BICUBIC)
    # Bytes without what the file said of itself: place, camera, comments.
    bare = Image.frombytes("RGB", image.size, image.tobytes())
    file = io.BytesIO()
    bare.save(file, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"


def rows_by_content(sums: Sequence[str], groups: Sequence[int]) -> dict[tuple[str, int], list[int]]:
    """Return the rows of each image and group: what is stored twice is asked about once.

    Args:
        sums: N SHA-256 of what is stored.
        groups: N numbers: of what is asked.
    """
    found: dict[tuple[str, int], list[int]] = {}
    for row, key in enumerate(zip(sums, groups, strict=True)):
        found.setdefault(key, []).append(row)
    return found
