import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps

from adc_core.images.near_duplicates import (
    duplicate_groups,
    linked_groups,
    near_pairs,
    perceptual_hash,
)


def image(seed, size=256):
    """Smooth noise, whose frequencies fall as those of photographs do."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size, size, 3))
    for side in (2, 4, 8, 16, 32, 64):
        layer = Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
        total += np.asarray(layer.resize((size, size), Image.Resampling.BICUBIC), float) / side
    total = (total - total.min()) / np.ptp(total)
    return Image.fromarray((255 * total).astype(np.uint8))


def differ(one, other):
    return bin(perceptual_hash(one) ^ perceptual_hash(other)).count("1")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.resize((128, 128)),
        lambda p: p.resize((300, 256)),
        lambda p: ImageOps.grayscale(p),
        lambda p: ImageEnhance.Brightness(p).enhance(0.8),
        lambda p: ImageEnhance.Contrast(p).enhance(0.7),
    ],
)
def test_the_same_image_changed(change):
    differences = [differ(image(seed), change(image(seed))) for seed in range(40)]
    assert np.median(differences) <= 2
    assert max(differences) <= 6


def test_other_images_are_far_apart():
    hashes = [perceptual_hash(image(seed)) for seed in range(120)]
    differences = [bin(a ^ b).count("1") for n, a in enumerate(hashes) for b in hashes[:n]]
    assert min(differences) > 6
    assert np.mean(differences) == pytest.approx(32, abs=1)


def test_half_of_the_bits_are_set():
    assert {bin(perceptual_hash(image(seed))).count("1") for seed in range(40)} == {32}
    assert perceptual_hash(Image.new("RGB", (9, 9), "white")) == 0


def by_all_pairs(hashes, bits):
    """Connected components over all pairs, the plain way."""
    group = list(range(len(hashes)))
    changed = True
    while changed:
        changed = False
        for one, a in enumerate(hashes):
            for other, b in enumerate(hashes):
                if bin(a ^ b).count("1") <= bits and group[one] != group[other]:
                    group[one] = group[other] = min(group[one], group[other])
                    changed = True
    return group


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 63), max_size=4)), max_size=25),
    st.integers(0, 6),
)
def test_groups_are_those_of_all_pairs(near, bits):
    """Hashes around a few centres, so that chains and borders occur."""
    centers = np.random.default_rng(0).integers(0, 1 << 63, 4).tolist()
    hashes = [centers[center] ^ sum(1 << bit for bit in flipped) for center, flipped in near]
    assert duplicate_groups(hashes, bits).tolist() == by_all_pairs(hashes, bits)


@pytest.mark.parametrize("bits", range(7))
def test_no_planted_pair_is_missed(bits):
    """Wherever the bits fall: 20,000 pairs among 200,000 hashes."""
    rng = np.random.default_rng(bits)
    hashes = rng.integers(0, 1 << 64, 200_000, dtype=np.uint64)
    planted = hashes[:20_000].copy()
    flipped = rng.random((20_000, 64)).argsort(axis=1)[:, :bits].astype(np.uint64)
    for bit in flipped.T:
        planted ^= np.uint64(1) << bit
    groups = duplicate_groups(np.concatenate([hashes, planted]), bits)
    np.testing.assert_array_equal(groups[200_000:], np.arange(20_000))
    np.testing.assert_array_equal(groups[:200_000], np.arange(200_000))


def test_many_equal_hashes_are_one_group():
    hashes = np.zeros(100_000, np.uint64)
    hashes[50_000:] = 7
    assert not duplicate_groups(hashes, 3).any()
    assert np.unique(duplicate_groups(hashes, 2)).tolist() == [0, 50_000]


def test_bits_out_of_range():
    with pytest.raises(ValueError, match=r"^near duplicates differ in 0 to 6 bits, not 7$"):
        duplicate_groups([1, 2], 7)


def test_nothing():
    assert duplicate_groups([], 3).tolist() == []


def test_pairs_with_their_distance():
    """Of equal hashes each is paired with the first, which alone is compared with others."""
    hashes = [0, 0b11, 0, 0, (1 << 64) - 1, 0b1111111]
    pairs, bits = near_pairs(hashes, 6)
    found = {(one, other): int(d) for one, other, d in zip(*pairs.tolist(), bits, strict=True)}
    assert found == {(0, 2): 0, (0, 3): 0, (0, 1): 2, (1, 5): 5}
    assert linked_groups(6, pairs).tolist() == [0, 0, 0, 0, 4, 0]
    pairs, bits = near_pairs(hashes, 0)
    assert (pairs.tolist(), bits.tolist()) == ([[0, 0], [2, 3]], [0, 0])


def test_a_thousand_equal_hashes_are_a_thousand_pairs():
    pairs, _ = near_pairs([7] * 1001, 6)
    assert pairs.shape == (2, 1000)
    assert (pairs[0] == 0).all()
