"""From untrusted bytes to an image of one size: decoded in full, upright, RGB, as a JPEG."""

import io
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from typing import Literal

import numpy as np
from PIL import ExifTags, Image

from adc_core import InputError
from adc_core.images import FORMATS, NO_MEMORY, ImageError, open_image, perceptual_hash, suffix_of
from adc_plugins_search.download.images.file_parts import MAX_PARTS, has_too_many_parts
from adc_plugins_search.download.outcomes import Reason, RefusedError, Stored

MAX_SIDE = 65_500
"""A JPEG cannot be longer."""
QUALITY = 95
MAX_SCANS = 100
"""A progressive JPEG has ten; each costs a pass over all pixels and may be a few bytes long."""
MAX_SCANNED_PIXELS = 1_000_000_000
"""Pixels in all scans together: about a second."""
_WEBP_COSTS = 2
"""Times the memory that other formats take for each pixel while they are decoded."""
_JPEG, _SCAN = b"\xff\xd8", b"\xff\xda"
_SIDEWAYS = frozenset({5, 6, 7, 8})
"""Exif orientations that swap width and height."""

Decoder = Literal["pillow", "opencv"]


def check_installed(decoder: Decoder) -> None:
    """Refuse a decoder whose library is missing.

    Raises:
        InputError: it is.
    """
    if decoder == "opencv" and find_spec("cv2") is None:
        raise InputError(
            "decoder: opencv is not installed: pip install 'adc-plugins-search[opencv]', "
            "or use pillow"
        )


@dataclass(frozen=True)
class ImageRules:
    """What an image must be, and how it is stored.

    Attributes:
        size: length of the shorter side when stored; smaller images stay as they are.
        min_side: an image with a shorter side is refused.
        max_pixels: an image with more is refused undecoded.
        decoder: what decodes and shrinks JPEG files.
    """

    size: int
    min_side: int
    max_pixels: int
    decoder: Decoder = "pillow"


def verify(data: bytes, rules: ImageRules, url: str) -> tuple[bytes, Stored]:
    """Return the image as it is stored, and what is known of it.

    Args:
        data: the bytes as they were found.
        rules: what an image must be.
        url: where they were found.

    Raises:
        RefusedError: the bytes are no image that can be used.
    """
    scans = data.count(_SCAN) if data[:2] == _JPEG else 0
    if scans > MAX_SCANS:
        raise RefusedError(Reason.DAMAGED, f"more than {MAX_SCANS} scans in a JPEG")
    if has_too_many_parts(data):
        raise RefusedError(Reason.DAMAGED, f"more than {MAX_PARTS:,} parts in a file")
    header = _read_header(data, rules.max_pixels)
    if header is None or header.width * header.height > rules.max_pixels:
        _decode(data, rules.max_pixels)  # says what is wrong
        raise RefusedError(Reason.DAMAGED, "its header cannot be read")
    if header.format == "WEBP" and header.width * header.height > rules.max_pixels // _WEBP_COSTS:
        most = rules.max_pixels // _WEBP_COSTS
        raise RefusedError(Reason.TOO_MANY_PIXELS, f"more than {most:,} in a WebP")
    if scans * header.width * header.height > MAX_SCANNED_PIXELS:
        detail = f"{scans} scans of {header.width} × {header.height} pixels in a JPEG"
        raise RefusedError(Reason.DAMAGED, detail)
    shorter = min(header.width, header.height)
    if shorter < rules.min_side:
        raise RefusedError(
            Reason.TOO_SMALL, f"{header.width} × {header.height} pixels, less than {rules.min_side}"
        )
    scale = min(1.0, rules.size / shorter)
    target = (max(1, round(header.width * scale)), max(1, round(header.height * scale)))
    if max(target) > MAX_SIDE:
        raise RefusedError(Reason.TOO_MANY_PIXELS, f"a side of more than {MAX_SIDE:,}")
    encoded, perceptual = _encode_image(data, header, target, rules)
    stored = Stored(
        final_url=url,
        width=header.width,
        height=header.height,
        format=header.format,
        mode=header.mode,
        size=len(data),
        sha256=sha256(data).hexdigest(),
        stored_size=len(encoded),
        stored_sha256=sha256(encoded).hexdigest(),
        perceptual=perceptual,
    )
    return encoded, stored


@dataclass(frozen=True)
class _Header:
    """What a file says of itself before it is decoded; width and height are the upright ones."""

    format: str
    mode: str
    width: int
    height: int
    turned: bool


def _read_header(data: bytes, max_pixels: int) -> _Header | None:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            # To look for a PNG's orientation, Pillow decodes it.
            harmless = width * height <= max_pixels
            exif = image.getexif() if harmless else {}
            orientation = exif.get(ExifTags.Base.Orientation, 1)
            if orientation in _SIDEWAYS:
                width, height = height, width
            return _Header(image.format or "", image.mode, width, height, orientation != 1)
    except Exception:  # whatever is wrong with it, `open_image` finds a name for it
        return None


def _encode_image(
    data: bytes, header: _Header, target: tuple[int, int], rules: ImageRules
) -> tuple[bytes, int]:
    """Return the image as it is stored, and its perceptual hash."""
    # Photographs are nearly all of this kind; whatever is odd about others is `open_image`'s.
    if header.format == "JPEG" and header.mode in ("RGB", "L") and not header.turned:
        if rules.decoder == "opencv":
            encoded = _encode_by_opencv(data, target)
            if encoded is not None:
                return encoded
        elif (image := _decode_reduced(data, target)) is not None:
            return _encode(_shrink(image, target))
    return _encode(_shrink(_decode(data, rules.max_pixels), target))


def _decode_reduced(data: bytes, target: tuple[int, int]) -> Image.Image | None:
    """Return a JPEG decoded at a half, a quarter or an eighth where that leaves twice the target.

    With less than twice the target the resampling filter would be starved, and fine stripes would
    come out as coarse ones that are not there.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
        image.draft("RGB", (2 * target[0], 2 * target[1]))
        image.load()
    except Exception:  # as above
        return None
    return image if image.mode == "RGB" else image.convert("RGB")


def _encode_by_opencv(data: bytes, target: tuple[int, int]) -> tuple[bytes, int] | None:
    """Return a JPEG decoded in full and shrunk by the means of areas; None where OpenCV cannot."""
    import cv2  # an extra, and slow to import

    cv2.setNumThreads(1)  # every processor has its worker
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    if pixels.shape[1::-1] != target:
        pixels = cv2.resize(pixels, target, interpolation=cv2.INTER_AREA)
    full_color = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, QUALITY),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, full_color),
    ]
    done, encoded = cv2.imencode(".jpg", pixels, options)
    if not done:
        return None
    # The order of the channels matters little, and turning them round costs as much as the hash.
    return bytes(encoded), perceptual_hash(Image.fromarray(pixels))


def _decode(data: bytes, max_pixels: int) -> Image.Image:
    try:
        return open_image(data, "it", max_pixels)
    except ImageError as error:
        if error.reason == "not an image" and suffix_of(data):
            raise RefusedError(Reason.DAMAGED, "its header is cut off or broken") from None
        if error.reason == "not an image":
            start = data[:20].decode("ascii", "replace").strip()
            raise RefusedError(Reason.NOT_AN_IMAGE, f"begins with {start!r}") from None
        if error.reason == "too large":
            detail = NO_MEMORY if error.detail == NO_MEMORY else f"more than {max_pixels:,}"
            raise RefusedError(Reason.TOO_MANY_PIXELS, detail) from None
        raise RefusedError(Reason.DAMAGED, error.detail) from None


def _shrink(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    if image.size == target:
        return image
    # Lanczos costs twice as much; a gap of 3 leaves the filter enough pixels for fine patterns.
    return image.resize(target, Image.Resampling.BICUBIC, reducing_gap=3.0)


def _encode(image: Image.Image) -> tuple[bytes, int]:
    image.info.clear()  # else Pillow keeps a comment
    file = io.BytesIO()
    # Full colour resolution: colour is an attribute that datasets are built on.
    image.save(file, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return file.getvalue(), perceptual_hash(image)
