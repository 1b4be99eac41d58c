"""Images decoded, shrunk and encoded anew: a browser never gets the bytes of a file."""

import io
from collections import OrderedDict
from hashlib import sha256
from threading import Lock

from PIL import Image, ImageDraw

from adc_core.images import ImageError, Images

MOST_ENLARGED = 3

MOST_KEPT = 32 << 20
"""Bytes of encoded images that are kept: of those that several people are shown."""


def jpeg_of(images: Images, row: int, side: int) -> bytes:
    """Encode an image for the page: its longer side at most `side` pixels.

    A small one is enlarged, three times at the most. One that cannot be decoded becomes a grey
    one that says so.
    """
    try:
        image, _ = images.small(row, side)
    except ImageError:
        return grey("this image cannot be shown")
    factor = min(MOST_ENLARGED, side / max(image.size))
    if factor > 1:
        width, height = (max(1, round(length * factor)) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    return _encoded(image)


def grey(text: str) -> bytes:
    """Draw a grey image with a line of text."""
    image = Image.new("RGB", (256, 256), "#dddddd")
    ImageDraw.Draw(image).text((128, 128), text, "#333333", anchor="mm")
    return _encoded(image)


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()


class ImageCache:
    """The images of a review as they were when the plan was made, each decoded once in a while.

    Args:
        images: of the dataset under review.
    """

    def __init__(self, images: Images) -> None:
        self._images = images
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, row: int, side: int, digest: bytes) -> tuple[bool, bytes]:
        """Return whether an image is still what it was, and what to show.

        Args:
            row: of the dataset.
            side: of the image that is shown.
            digest: SHA-256 of the file when the plan was made.
        """
        kept = self._kept.get((row, side))
        if kept is not None:
            return True, kept
        try:
            known = sha256(self._images.encoded(row)[0]).digest() == digest
        except ImageError:
            known = False
        if not known:
            return False, grey("this image was withdrawn")
        content = jpeg_of(self._images, row, side)
        with self._lock:
            self._size += len(content) - len(self._kept.pop((row, side), b""))
            self._kept[row, side] = content
            while self._size > MOST_KEPT:
                self._size -= len(self._kept.popitem(last=False)[1])
        return True, content
