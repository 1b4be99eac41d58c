"""Copies of images: exact, near, across splits, and under different labels."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from adc_core import Images, progress
from adc_core.arrays import Array
from adc_core.images import MOST_BITS, linked_groups, near_pairs

EXACT, BITS, RADIUS = "exact_duplicate_group", "duplicate_bits", "duplicate_radius"
"""The columns beside `duplicate_group`; see the fields of `Duplicates`."""

_SIDE = 16
_ALIKE = 0.95
"""Correlation of two images of 16 × 16 pixels above which they are one image. Of CIFAR-10's
pairs with hashes within 6 bits, those above are the same photograph to the eye; copies of half the
JPEG quality, of other sizes and brightness have .96 and more in 99 of 100 cases."""

_PLAIN = 0.02
_STEEP, _FEW, _ALWAYS = 4, 0.005, 5


class Duplicates(NamedTuple):
    """Copies among N images.

    Attributes:
        group: N int64, the first row of each row's group of copies; itself where it has none.
        exact_group: N int64, likewise, of copies that are equal byte for byte.
        bits: N int8, in how many of 64 bits the hashes of a row and its most similar copy differ,
            0 for exact copies; -1 where it has none.
        radius: in how many bits the hashes of near copies may differ at most in this dataset.
    """

    group: NDArray[np.int64]
    exact_group: NDArray[np.int64]
    bits: NDArray[np.int8]
    radius: int


class Leak(NamedTuple):
    """Copies that are in two splits.

    Attributes:
        split: whose samples are counted.
        other: where their copies are.
        samples: of the split that have a copy there.
        exact: of these, byte for byte.
        size: samples of the split.
    """

    split: str
    other: str
    samples: int
    exact: int
    size: int


def find_duplicates(images: Images, hashes: NDArray[np.uint64], sums: Sequence[str]) -> Duplicates:
    """Find exact and near copies.

    Near copies have perceptual hashes that differ in a few bits and, since drawings of the same
    kind have similar hashes too, small images that correlate. How few bits is found out: chance
    pairs of different images become many times more frequent with each bit, copies do not. So
    the radius grows, to 6 bits at most, until a step brings four times as many pairs as all the
    steps before it (and more than five, and more than one for 200 samples).

    Args:
        images: N images; those with a similar hash are decoded.
        hashes: N perceptual hashes.
        sums: N check sums of the images' bytes.
    """
    exact = first_of(np.asarray(sums))
    single = np.flatnonzero(exact == np.arange(len(exact)))
    pairs, bits = near_pairs(hashes[single], MOST_BITS)
    alike = _alike(images, single[pairs]) if pairs.size else np.zeros(0, np.bool_)
    pairs, bits = single[pairs[:, alike]], bits[alike]
    radius = _radius(bits, len(single))
    pairs, bits = pairs[:, bits <= radius], bits[bits <= radius]
    again = np.flatnonzero(exact != np.arange(len(exact)))
    copies = np.stack([exact[again], again])
    group = linked_groups(len(exact), np.concatenate([pairs, copies], axis=1))
    nearest = np.full(len(exact), MOST_BITS + 1)
    for end in pairs:
        np.minimum.at(nearest, end, bits)
    nearest[copies.ravel()] = 0
    nearest[nearest > MOST_BITS] = -1
    return Duplicates(group, exact, nearest.astype(np.int8), radius)


def first_of(values: Array) -> NDArray[np.int64]:
    """Find the first row that has each row's value."""
    _, first, place = np.unique(values, return_index=True, return_inverse=True)
    return np.asarray(first[place], np.int64)


def _radius(bits: NDArray[np.int64], rows: int) -> int:
    counts = np.bincount(bits, minlength=MOST_BITS + 1)
    for radius in range(1, MOST_BITS + 1):
        if counts[radius] > max(_STEEP * counts[:radius].sum(), _FEW * rows, _ALWAYS):
            return radius - 1
    return MOST_BITS


def _alike(images: Images, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell whether the small images of each pair are the same, but for brightness."""
    rows, places = np.unique(pairs, return_inverse=True)
    small = _small_images(images, rows)
    one, other = (small[ends] for ends in places.reshape(2, -1))
    tone = np.abs(one.mean(axis=1) - other.mean(axis=1)).max(axis=1)
    one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    spread = np.sqrt((one**2).mean(axis=(1, 2)) * (other**2).mean(axis=(1, 2)))
    together = (one * other).mean(axis=(1, 2))
    plain = spread < _PLAIN**2
    alike: NDArray[np.bool_] = np.where(plain, tone < _PLAIN, together > _ALIKE * spread)
    return alike


def _small_images(images: Images, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Squeeze images into 16 × 16: n × 256 × 3 values from 0 to 1."""
    small = np.empty((len(rows), _SIDE**2, 3), np.float32)

    def fill(place: int) -> None:
        image, _ = images.small(int(rows[place]), 4 * _SIDE)
        square = image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        small[place] = np.asarray(square, np.float32).reshape(-1, 3) / 255

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done, _ in enumerate(threads.map(fill, range(len(rows))), 1):
            progress(done, len(rows), "image")
    return small


def conflicting(group: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Find samples that have a copy with another label: one label of each group is wrong."""
    low, high = labels.copy(), labels.copy()
    np.minimum.at(low, group, labels)
    np.maximum.at(high, group, labels)
    found: NDArray[np.bool_] = low[group] != high[group]
    return found


def find_leaks(duplicates: Duplicates, splits: Array) -> list[Leak]:
    """Count the samples of each split that have a copy in another one.

    Args:
        duplicates: of N samples.
        splits: N texts.
    """
    names = np.unique(splits).tolist()
    holds = {
        (name, kind): np.isin(groups, groups[splits == name])
        for name in names
        for kind, groups in enumerate((duplicates.group, duplicates.exact_group))
    }
    leaks = []
    for split in names:
        own = splits == split
        for other in names:
            samples = int((own & holds[other, 0]).sum()) if other != split else 0
            if samples:
                exact = int((own & holds[other, 1]).sum())
                leaks.append(Leak(split, other, samples, exact, int(own.sum())))
    return leaks
