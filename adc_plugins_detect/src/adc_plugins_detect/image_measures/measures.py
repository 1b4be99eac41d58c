"""What an image is like as such, measured in one look at it; judged in `image_issues`."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adc_core import Images, progress
from adc_core.images import perceptual_hash

SIDE = 128
"""Images are looked at shrunk so that their longer side has these pixels: what only shows at more
does not matter to a network that sees 224."""

_STEP = 256
_FLAT = 1e-6


class ImageMeasures(NamedTuple):
    """Measures of N images; tones run from 0, black, to 1, white.

    Attributes:
        width: N int32, pixels of the whole image, turned upright.
        height: N int32, likewise.
        lightest: N float32, tone below which 99 % of the pixels are: low where all is dark.
        darkest: N float32, tone below which 5 % of the pixels are: high where all is bright.
        contrast: N float32, between the tones below which 1 and 99 % of the pixels are.
        sharpness: N float32, how strong the strongest edges are: the Laplacian's absolute value
            that 1 % of the pixels exceed, divided by the contrast. 0 where there is no contrast.
        smoothness: N float32, correlation of the tones of adjacent pixels, about 0 in noise; 1
            where there is no contrast.
        colorfulness: N float32, difference between the largest and the smallest of a pixel's three
            values that 1 % of the pixels exceed; 0 in grey images.
        perceptual_hash: N uint64; see `adc_core.images.near_duplicates`.
    """

    width: NDArray[np.int32]
    height: NDArray[np.int32]
    lightest: NDArray[np.float32]
    darkest: NDArray[np.float32]
    contrast: NDArray[np.float32]
    sharpness: NDArray[np.float32]
    smoothness: NDArray[np.float32]
    colorfulness: NDArray[np.float32]
    perceptual_hash: NDArray[np.uint64]


def measure_images(images: Images) -> ImageMeasures:
    """Measure every image; each is decoded once, on several threads.

    Raises:
        ImageError: an image cannot be decoded.
    """
    rows = len(images)
    sizes, tones = np.empty((2, rows), np.int32), np.empty((6, rows), np.float32)
    hashes = np.empty(rows, np.uint64)

    def measure(row: int) -> None:
        small, size = images.small(row, SIDE)
        sizes[:, row] = size
        tones[:, row] = _measures(small)
        hashes[row] = perceptual_hash(small)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(images), _STEP):
            stop = min(len(images), start + _STEP)
            for _ in threads.map(measure, range(start, stop)):
                pass
            progress(stop, len(images), "image")
    high, dark, contrast, sharpness, smoothness, color = tones
    return ImageMeasures(
        sizes[0], sizes[1], high, dark, contrast, sharpness, smoothness, color, hashes
    )


def _measures(image: Image.Image) -> tuple[float, ...]:
    """Measure the tones of one small image, in the order of `ImageMeasures`."""
    rgb = np.asarray(image)
    tones = np.asarray(image.convert("L"))
    low, dark, high = _quantiles(tones, 0.01, 0.05, 0.99)
    contrast = high - low
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]  # along an axis is far slower
    largest = np.maximum(np.maximum(red, green), blue)
    smallest = np.minimum(np.minimum(red, green), blue)
    (color,) = _quantiles(largest - smallest, 0.99)
    wide = np.pad(tones.astype(np.int16), 1, mode="edge")
    laplacian = np.abs(
        wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * wide[1:-1, 1:-1]
    )
    (edge,) = _quantiles(laplacian, 0.99)
    return (
        high,
        dark,
        contrast,
        edge / contrast if contrast else 0.0,
        _smoothness(tones),
        color,
    )


def _quantiles(values: NDArray[np.integer], *shares: float) -> Iterator[float]:
    """Find quantiles of whole numbers of which 255 is one, by counting them."""
    counts = np.cumsum(np.bincount(values.ravel()))
    for share in shares:
        yield int(np.searchsorted(counts, share * counts[-1])) / 255


def _smoothness(tones: NDArray[np.uint8]) -> float:
    off = tones / 255 - tones.mean() / 255
    variance = float((off * off).mean())
    if variance < _FLAT:
        return 1.0
    pairs = [off[1:] * off[:-1], off[:, 1:] * off[:, :-1]]
    means = [float(pair.mean()) for pair in pairs if pair.size]
    return sum(means) / len(means) / variance if means else 1.0
