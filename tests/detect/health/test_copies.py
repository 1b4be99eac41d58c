"""Copies: exact, near, across splits, under other labels; and sets whose images look alike."""

import io

import numpy as np
import pytest
from PIL import Image

from adc_core.images.sequence import ImageFiles
from adc_plugins_detect.image_measures.duplicates import (
    Leak,
    conflicting,
    find_duplicates,
    find_leaks,
    first_of,
)
from adc_plugins_detect.image_measures.measures import measure_images


def scene(seed, size=64):
    """Smooth noise, whose frequencies fall as those of photographs do."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size, size, 3))
    for side in (2, 4, 8, 16, 32):
        layer = Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8))
        total += np.asarray(layer.resize((size, size), Image.Resampling.BICUBIC), float) / side
    return Image.fromarray(((total - total.min()) / np.ptp(total) * 255).astype(np.uint8))


def jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


@pytest.fixture
def place(tmp_path):
    """Forty images; 0 and 40 are equal, 1 … 4 and 41 … 44 nearly so."""
    images = [scene(seed) for seed in range(40)]
    images += [
        images[0],
        images[1].resize((40, 40)),
        jpeg(images[2], 50),
        images[3].point(lambda value: int(0.8 * value)),
        images[4].resize((128, 96)),
    ]
    for row, image in enumerate(images):
        image.convert("RGB").save(tmp_path / f"{row}.png")
    return ImageFiles(tmp_path, [f"{row}.png" for row in range(len(images))])


def found_in(images):
    return find_duplicates(images, measure_images(images).perceptual_hash, images.sums)


def test_planted_copies_are_found_and_no_others(place):
    found = found_in(place)
    assert found.radius == 6
    pairs = {row: int(first) for row, first in enumerate(found.group) if row != first}
    assert pairs == {40: 0, 41: 1, 42: 2, 43: 3, 44: 4}
    exact = {row: int(first) for row, first in enumerate(found.exact_group) if row != first}
    assert exact == {40: 0}
    assert found.bits[[0, 40]].tolist() == [0, 0]
    assert (found.bits[[1, 2, 3, 4, 41, 42, 43, 44]] >= 0).all()
    assert found.bits[1:5].tolist() == found.bits[41:].tolist()
    assert (found.bits[5:40] == -1).all()


def test_plain_images_are_copies_only_of_the_same_tone(tmp_path):
    for row, tone in enumerate((0, 1, 128, 255)):
        Image.new("RGB", (32, 32), (tone,) * 3).save(tmp_path / f"{row}.png")
    found = found_in(ImageFiles(tmp_path, [f"{row}.png" for row in range(4)]))
    assert found.group.tolist() == [0, 0, 2, 3]


def test_images_that_all_look_alike_are_no_copies(shared_data, tmp_path):
    """Thin digits have nearly the same hash; the radius shrinks so far that few are told."""
    import gzip

    (path,) = (shared_data / "mnist_label_errors").glob("*images*.gz")
    digits = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    for row, digit in enumerate(digits.reshape(-1, 28, 28)[:4000]):
        Image.fromarray(digit).save(tmp_path / f"{row}.png")
    found = found_in(ImageFiles(tmp_path, [f"{row}.png" for row in range(4000)]))
    assert found.radius < 2
    assert (found.bits >= 0).mean() < 0.01


def test_leaks_and_conflicts(place):
    found = found_in(place)
    splits = np.array(["train"] * 40 + ["test"] * 5)
    assert find_leaks(found, splits) == [
        Leak("test", "train", samples=5, exact=1, size=5),
        Leak("train", "test", samples=5, exact=1, size=40),
    ]
    assert find_leaks(found, np.full(45, "train")) == []
    labels = np.zeros(45, np.int64)
    labels[[41, 7]] = 1
    assert np.flatnonzero(conflicting(found.group, labels)).tolist() == [1, 41]


def test_first_of():
    assert first_of(np.array(["b", "a", "b", "a"])).tolist() == [0, 1, 0, 1]
