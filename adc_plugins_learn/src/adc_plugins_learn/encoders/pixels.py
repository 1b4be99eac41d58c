"""Features without a network: small pictures, then principal components."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core.arrays import chunks
from adc_core.errors import InputError
from adc_core.images import Images
from adc_core.interfaces import Encoder
from adc_core.work import progress

Float32 = NDArray[np.float32]

_BATCH = 512


def principal_components(rows: Float32, components: int) -> Float32:
    """Coordinates along the directions of largest variance (Pearson 1901).

    The sign of each direction is chosen so that its largest weight is positive, so that the same
    rows give the same coordinates.

    Args:
        rows: N × D.
        components: how many directions, at most D.

    Returns:
        N × components float32, in order of falling variance.
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((rows.shape[1], rows.shape[1]))
    for part in chunks(len(rows), rows[:1].nbytes):
        centred = rows[part] - mean
        covariance += centred.T @ centred
    _, directions = np.linalg.eigh(covariance / len(rows))
    kept = directions[:, ::-1][:, :components]
    largest = np.abs(kept).argmax(axis=0)
    kept = kept * np.sign(kept[largest, np.arange(kept.shape[1])])
    out = np.empty((len(rows), kept.shape[1]), np.float32)
    for part in chunks(len(rows), rows[:1].nbytes):
        out[part] = (rows[part] - mean) @ kept
    return out


class PixelEncoder(Encoder):
    """Encodes images as small pictures reduced by principal components; needs no weights.

    Good enough for digits and other aligned shapes; for photographs use a pretrained network.
    """

    reads = ("images",)

    size: int = Field(16, ge=1, le=256, description="side of the small picture, in pixels")
    colour: bool = Field(False, description="keep the three colours instead of one grey")
    components: int | None = Field(
        64, ge=1, description="principal components to keep; null: all pixels as they are"
    )

    def encode(self, images: Images) -> Float32:
        """N × D float32 features of N images.

        Raises:
            InputError: more components are asked for than there are pixels.
        """
        width = self.size**2 * (3 if self.colour else 1)
        if self.components is not None and self.components > width:
            raise InputError(
                f"{self.components} components of {width} pixels: lower components or raise size"
            )
        rows = np.empty((len(images), width), np.float32)
        for start in range(0, len(images), _BATCH):
            stop = min(start + _BATCH, len(images))
            small = images.resized(self.size, np.arange(start, stop)).astype(np.float32) / 255
            if not self.colour:
                small = small @ np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma
            rows[start:stop] = small.reshape(stop - start, width)
            progress(stop, len(images), "image")
        return rows if self.components is None else principal_components(rows, self.components)
