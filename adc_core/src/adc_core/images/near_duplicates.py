"""Images that are nearly the same: perceptual hashes, and groups of hashes that differ little.

Two hashes that differ in d bits agree in three at least of d + 3 bands, however the bits fall. So
they meet in one of the tables that are sorted by three bands, and no other pairs are compared.
"""

from collections.abc import Sequence
from functools import cache
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GROUP = "duplicate_group"
"""The column of a dataset that names near duplicates: the row of the first of them."""

MOST_BITS = 6
"""Hashes that differ in more are not looked for: bands would be so short that most pairs meet."""

_SIDE = 32
_KEPT = 8

Hashes = NDArray[np.uint64]


def perceptual_hash(image: Image.Image) -> int:
    """Compute 64 bits that hardly change when an image is scaled, compressed or brightened.

    A bit says whether one of the 64 lowest frequencies of the cosine transform of the image,
    shrunk to 32 × 32 greys, is above their median. Cropped and mirrored images get other bits.
    Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010), §3.2.1.
    """
    small = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    # Rounded, so that a plain image has no bits of rounding errors.
    low = (_COSINES @ np.asarray(small, np.float64) @ _COSINES.T).round(3)
    values = np.sort(low, axis=None)
    # As np.median says, which imports masked arrays into every worker.
    middle = (values[len(values) // 2 - 1] + values[len(values) // 2]) / 2
    bits = (low > middle).flatten()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _cosines() -> NDArray[np.float64]:
    """Return the first rows of the cosine transform, without the constant one."""
    frequency = np.arange(1, _KEPT + 1)[:, None]
    return np.cos(np.pi * frequency * (2 * np.arange(_SIDE) + 1) / (2 * _SIDE))


_COSINES = _cosines()


def duplicate_groups(hashes: Hashes | Sequence[int], bits: int) -> NDArray[np.int64]:
    """Group images that are linked by hashes which differ in few bits.

    Args:
        hashes: N 64-bit hashes.
        bits: in how many of the 64 the hashes of a linked pair differ at most.

    Returns:
        N int64: the first row of each row's group; a row of its own is its own group.

    Raises:
        ValueError: bits outside 0 … 6.
    """
    pairs, _ = near_pairs(hashes, bits)
    return linked_groups(len(hashes), pairs)


def near_pairs(
    hashes: Hashes | Sequence[int], bits: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find pairs of images whose hashes differ in few bits.

    Of images with the same hash each is paired with the first alone, and the first represents
    all of them in pairs with others, so that a thousand plain images do not make a million pairs.

    Args:
        hashes: N 64-bit hashes.
        bits: in how many of the 64 the hashes of a pair differ at most.

    Returns:
        2 × P rows, the earlier one above, and the P numbers of bits in which they differ.

    Raises:
        ValueError: bits outside 0 … 6.
    """
    if not 0 <= bits <= MOST_BITS:
        raise ValueError(f"near duplicates differ in 0 to {MOST_BITS} bits, not {bits}")
    different, first, place = np.unique(
        np.asarray(hashes, np.uint64), return_index=True, return_inverse=True
    )
    again = np.flatnonzero(first[place] != np.arange(len(place)))
    same = np.stack([first[place[again]], again])
    links = [_linked(different, mask, bits) for mask in _masks(bits)] if bits else []
    linked = np.concatenate(links, axis=1) if links else np.empty((2, 0), np.int64)
    linked = np.unique(np.sort(linked, axis=0), axis=1)
    differing = _differences(different[linked[0]], different[linked[1]])
    pairs = np.concatenate([same, np.sort(first[linked], axis=0)], axis=1)
    return pairs, np.concatenate([np.zeros(len(again), np.int64), differing])


def linked_groups(count: int, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group rows that are linked, over any number of links.

    Args:
        count: N rows.
        links: 2 × L rows.

    Returns:
        N int64: the first row of each row's group; a row of its own is its own group.
    """
    smallest = np.arange(count)
    while True:
        before = smallest.copy()
        low = np.minimum(smallest[links[0]], smallest[links[1]])
        for end in links:
            np.minimum.at(smallest, end, low)
            np.minimum.at(smallest, before[end], low)
        smallest = smallest[smallest]
        if np.array_equal(smallest, before):
            return smallest


def _masks(bits: int) -> list[np.uint64]:
    """Return a mask for the bits of any three of the bands."""
    edges = np.linspace(0, 64, bits + 4).round().astype(int).tolist()
    bands = [(1 << b) - (1 << a) for a, b in pairwise(edges)]
    return [np.uint64(sum(chosen)) for chosen in combinations(bands, 3)]


def _linked(hashes: Hashes, mask: np.uint64, bits: int) -> NDArray[np.int64]:
    """Return 2 × L rows of pairs that agree under a mask and differ little elsewhere."""
    keys = hashes & mask
    order = np.argsort(keys, kind="stable")
    keys, found = keys[order], []
    # Pairs of neighbors in the table, then of those two apart, as long as any agree.
    start = np.flatnonzero(keys[1:] == keys[:-1])
    lag = 1
    while len(start):
        one, other = order[start], order[start + lag]
        near = _differences(hashes[one], hashes[other]) <= bits
        found.append(np.stack([one[near], other[near]]))
        lag += 1
        start = start[start + lag < len(keys)]
        start = start[keys[start] == keys[start + lag]]
    return np.concatenate(found, axis=1) if found else np.empty((2, 0), np.int64)


def _differences(some: Hashes, others: Hashes) -> NDArray[np.int64]:
    """Count the bits in which hashes differ, pair by pair."""
    words = np.ascontiguousarray(some ^ others).view(np.uint16).reshape(-1, 4)
    counts: NDArray[np.int64] = _population()[words].sum(axis=1, dtype=np.int64)
    return counts


@cache
def _population() -> NDArray[np.uint8]:
    """Count the bits that are set in each number of 16 bits."""
    numbers = np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    counts: NDArray[np.uint8] = np.unpackbits(numbers, axis=1).sum(axis=1, dtype=np.uint8)
    return counts
