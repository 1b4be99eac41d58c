"""Features without a trained network: how strongly small patches of an image resemble others."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from threadpoolctl import threadpool_limits

from adc_core import Encoder, Images, progress
from adc_core.arrays import Array

Float32 = NDArray[np.float32]

_BATCH = 128
_SAMPLED_IMAGES, _SAMPLED_PATCHES = 4000, 40_000
_CONTRAST = 10 / 255**2
"""Added to a patch's variance, so that noise in flat regions is not blown up (Coates et al.)."""

_WHITENING = 0.1
"""Added to the eigenvalues of the patches' covariance, for the same reason."""

_THRESHOLD = 0.25
"""Responses below it count as none (Coates and Ng, 2011)."""


class Dictionary(NamedTuple):
    """What image patches are compared with.

    Attributes:
        filters: P × F float32: whitening and dictionary in one product, P numbers to a patch.
        offsets: F float32, the response of the mean patch.
    """

    filters: Float32
    offsets: Float32


def learn_dictionary(
    images: NDArray[np.uint8], *, filters: int, patch: int, seed: int
) -> Dictionary:
    """Draw whitened patches at random, as a dictionary.

    Random patches serve nearly as well as learned ones (Coates and Ng, "The importance of encoding
    versus training with sparse coding and vector quantization", ICML 2011).

    Args:
        images: N × S × S × 3.
        filters: F, how many.
        patch: side of a patch, in pixels.
        seed: of the draws.
    """
    random = np.random.default_rng(seed)
    n, side = images.shape[:2]
    image = random.integers(0, n, _SAMPLED_PATCHES)
    top, left = random.integers(0, side - patch + 1, (2, _SAMPLED_PATCHES))
    inside = np.arange(patch)
    rows, columns = top[:, None, None] + inside[:, None], left[:, None, None] + inside
    sampled = images[image[:, None, None], rows, columns].reshape(_SAMPLED_PATCHES, -1)
    patches = _normalized(sampled.astype(np.float32) / 255)
    mean = patches.mean(axis=0, dtype=np.float64)
    centered = patches - mean
    variances, directions = np.linalg.eigh(centered.T @ centered / len(centered))
    whitening = (directions / np.sqrt(variances.clip(min=0) + _WHITENING)) @ directions.T
    chosen = centered[random.permutation(_SAMPLED_PATCHES)[:filters]] @ whitening
    chosen /= np.linalg.norm(chosen, axis=1, keepdims=True).clip(min=1e-12)
    product = whitening @ chosen.T
    return Dictionary(product.astype(np.float32), (mean @ product).astype(np.float32))


def patch_features(
    images: NDArray[np.uint8], dictionary: Dictionary, *, stride: int, cells: int
) -> Float32:
    """Average the responses of a dictionary over the cells of a grid.

    A response is kept beyond a threshold, positive and negative apart, and averaged over each of
    cells × cells parts of the image; of the average the root is taken, so that a patch that occurs
    everywhere does not drown the others (Coates, Lee and Ng, AISTATS 2011).

    Args:
        images: N × S × S × 3.
        dictionary: F filters.
        stride: pixels between two patches.
        cells: parts of the image along each side.

    Returns:
        N × (2 F cells²) float32.
    """
    side = int(np.sqrt(dictionary.filters.shape[0] / 3))
    values = images.astype(np.float32) / 255
    view: Array = np.lib.stride_tricks.sliding_window_view(values, (side, side), axis=(1, 2))
    windows = view[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    n, height, width = windows.shape[:3]
    patches = _normalized(windows.reshape(n * height * width, -1))
    response = (patches @ dictionary.filters - dictionary.offsets).reshape(n, height, width, -1)
    downs = np.linspace(0, height, cells + 1).round().astype(int)
    across = np.linspace(0, width, cells + 1).round().astype(int)
    parts = []
    for signed in (response, -response):
        kept = np.maximum(signed - _THRESHOLD, 0)
        summed = np.add.reduceat(np.add.reduceat(kept, downs[:-1], axis=1), across[:-1], axis=2)
        parts.append(summed / (np.diff(downs)[:, None, None] * np.diff(across)[:, None]))
    features: Float32 = np.sqrt(np.stack(parts, axis=1)).reshape(n, -1)
    return features


def _normalized(patches: Float32) -> Float32:
    """Return rows of mean zero and, where there is any contrast, of variance one."""
    patches = patches - patches.mean(axis=1, keepdims=True)
    normalized: Float32 = patches / np.sqrt(patches.var(axis=1, keepdims=True) + _CONTRAST)
    return normalized


class PatchEncoder(Encoder):
    """Encodes images by the small patches that they consist of; needs no weights and no torch.

    On the 4,000 photographs of `benchmarks/results/first_answer_fast.txt` these features, judged by
    `ridge-probe`, find wrong labels as well as a small network trained by cross-validation, at a
    tenth of its cost; a pretrained network finds more.
    """

    requires = ("images",)

    renamed_options: ClassVar[Mapping[str, str]] = {"size": "image_size"}

    image_size: int = Field(default=32, ge=8, le=128, description="side of the image, in pixels")
    filters: int = Field(default=100, ge=1, le=1000, description="patches in the dictionary")
    patch: int = Field(default=6, ge=2, le=32, description="side of a patch, in pixels")
    stride: int = Field(default=2, ge=1, le=16, description="pixels between two patches")
    cells: int = Field(default=3, ge=1, le=8, description="parts of the image along each side")
    seed: int = Field(default=0, ge=0, description="seed of the dictionary")

    @model_validator(mode="after")
    def _check(self) -> Self:
        positions = (self.image_size - self.patch) // self.stride + 1
        if positions < self.cells:
            raise ValueError(
                f"{max(0, positions)} patches a side do not fill {self.cells} cells: "
                "raise image_size, or lower patch, stride or cells"
            )
        return self

    def encode(self, images: Images) -> Float32:
        """Compute N × (2 · filters · cells²) float32 features of N images."""
        random = np.random.default_rng(self.seed)
        count = min(len(images), _SAMPLED_IMAGES)
        shown = np.sort(random.choice(len(images), count, replace=False))
        starts = range(0, len(images), _BATCH)
        out = np.empty((len(images), 2 * self.filters * self.cells**2), np.float32)

        def fill(start: int) -> int:
            rows = np.arange(start, min(start + _BATCH, len(images)))
            small = images.resized(self.image_size, rows, threads=1)
            out[rows] = patch_features(small, dictionary, stride=self.stride, cells=self.cells)
            return int(rows[-1]) + 1

        # One thread per batch rather than several per product: sums then have one order.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as threads:
            dictionary = learn_dictionary(
                images.resized(self.image_size, shown),
                filters=self.filters,
                patch=self.patch,
                seed=self.seed,
            )
            for done in threads.map(fill, starts):
                progress(done, len(images), "image")
        return out
