"""A piece of cloth to draw on: coordinates that move with the garment, and noise."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.floating[Any]]

_TILE = 600
"""More than the longer side of any image."""


@dataclass(frozen=True)
class Cloth:
    """The cloth behind every pixel of an image.

    Attributes:
        u: place across the garment, 0 in its middle, in heights of the garment.
        v: place down the garment, 0 at its top, 1 at its hem.
        random: what is left to chance.
    """

    u: Pixels
    v: Pixels
    random: np.random.Generator

    def smooth(self, cells: int) -> Pixels:
        """Return noise of mean 0 and about -1…1 that changes over 1/`cells` of the cloth."""
        return smooth(self.random, cells, self.u.shape)

    def grain(self) -> Pixels:
        """Return normal noise from pixel to pixel, of deviation 1."""
        return grain(self.random, self.u.shape)

    def number(self, low: float, high: float) -> float:
        """Return one number by chance."""
        return float(self.random.uniform(low, high))


def enlarged(coarse: Pixels, shape: tuple[int, ...]) -> Pixels:
    """Return a small array drawn smoothly over a large one."""
    size = (shape[1], shape[0])
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def smooth(random: np.random.Generator, cells: int, shape: tuple[int, ...]) -> Pixels:
    """Return noise of mean 0 and about -1…1 that changes over 1/`cells` of an array."""
    return enlarged(random.uniform(-1.4, 1.4, (cells + 1, cells + 1)).astype(np.float32), shape)


def grain(random: np.random.Generator, shape: tuple[int, ...]) -> Pixels:
    """Return normal noise of deviation 1, cut from a larger piece that is always the same."""
    top, left = (random.integers(0, _TILE - side + 1) for side in shape)
    return _noise()[top : top + shape[0], left : left + shape[1]]


@cache
def _noise() -> Pixels:
    noise = np.random.default_rng(0).standard_normal((_TILE, _TILE), np.float32)
    noise.flags.writeable = False
    return noise


def part(x: Pixels) -> Pixels:
    """Return how far within its unit each number is, 0…1."""
    whole: Pixels = np.floor(x)
    return x - whole


def wave(x: Pixels) -> Pixels:
    """Return a wave from 0 to 1 and back for each unit; a triangle is quicker than a sine."""
    return np.abs(2 * part(x) - 1)


def bars(x: Pixels, share: float, edge: float = 0.06) -> Pixels:
    """Return 1 in the middle `share` of each unit, 0 elsewhere, with slightly soft edges."""
    return step(share - np.abs(2 * part(x) - 1), edge)


def step(x: Pixels, edge: float) -> Pixels:
    """Return 0 where x is below 0, 1 where it is above, and in between over `edge`."""
    return np.asarray(np.clip(x / np.float32(2 * edge) + np.float32(0.5), 0, 1))


def of_cell(x: Pixels, y: Pixels, kind: int = 0) -> Pixels:
    """Return a number in 0…1 for each unit square, unlike its neighbors'."""
    cells = np.floor(x) * np.float32(12.9898) + np.floor(y) * np.float32(78.233) + kind * 37
    return part(np.sin(cells.astype(np.float32)) * np.float32(4375.85))
