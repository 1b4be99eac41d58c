"""Features without a network: small images, then principal components."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from adc_core import Encoder, Images, InputError, progress
from adc_core.arrays import chunks

Float32 = NDArray[np.float32]

_BATCH = 512
_WIDEST = 4096
"""Pixels of which principal components are taken: their covariance then has 128 MiB."""


def principal_components(rows: Float32, components: int) -> Float32:
    """Compute coordinates along the directions of largest variance (Pearson 1901).

    The sign of each direction is chosen so that its largest weight is positive, or the first of
    several equally large, so that the same rows give the same coordinates.

    Args:
        rows: N × D.
        components: how many directions, at most D.

    Returns:
        N × components float32, in order of falling variance.

    Raises:
        InputError: more components than columns.
    """
    width = rows.shape[1]
    if components > width:
        raise InputError(f"{components} components of {width} columns: ask for at most {width}")
    mean = rows.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((width, width))
    for part in chunks(len(rows), rows[:1].nbytes):
        centered = rows[part] - mean
        covariance += centered.T @ centered
    _, directions = np.linalg.eigh(covariance / len(rows))
    kept = directions[:, ::-1][:, :components]
    sizes = np.abs(kept)
    # Images are often symmetric: weights of equal size must not change places by rounding.
    largest = (sizes > sizes.max(axis=0) * (1 - 1e-6)).argmax(axis=0)
    kept = kept * np.sign(kept[largest, np.arange(components)])
    out = np.empty((len(rows), components), np.float32)
    for part in chunks(len(rows), rows[:1].nbytes):
        out[part] = (rows[part] - mean) @ kept
    return out


class PixelEncoder(Encoder):
    """Encodes images as small images reduced by principal components; needs no weights.

    Good enough for digits and other aligned shapes; for photographs use a pretrained network.
    """

    requires = ("images",)

    renamed_options: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"colour": "color", "size": "image_size"}
    )

    image_size: int = Field(
        default=16, ge=1, le=256, description="side of the small image, in pixels"
    )
    color: bool = Field(default=False, description="keep the three colours instead of one grey")
    components: int | None = Field(
        default=64, ge=1, description="principal components to keep; null: all pixels as they are"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.components is None:
            return self
        if self.components > self.width:
            raise ValueError(
                f"{self.components} components of {self.width} pixels: "
                "lower components or raise image_size"
            )
        if self.width > _WIDEST:
            raise ValueError(
                f"principal components of {self.width} pixels take too long, at most {_WIDEST}: "
                "lower image_size, or set components to null"
            )
        return self

    @property
    def width(self) -> int:
        """How many numbers a small image has."""
        return self.image_size**2 * (3 if self.color else 1)

    def encode(self, images: Images) -> Float32:
        """Return N × D float32 features of N images."""
        rows = np.empty((len(images), self.width), np.float32)
        for start in range(0, len(images), _BATCH):
            stop = min(start + _BATCH, len(images))
            small = images.resized(self.image_size, np.arange(start, stop)).astype(np.float32) / 255
            if not self.color:
                small = small @ np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma
            rows[start:stop] = small.reshape(stop - start, self.width)
            progress(stop, len(images), "image")
        return rows if self.components is None else principal_components(rows, self.components)
