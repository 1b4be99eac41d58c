"""Measures of images, and what the thresholds make of planted and of real ones."""

import gzip

import numpy as np
import pytest
from PIL import Image, ImageFilter

from adc_core.images.sequence import ImageArray, ImageFiles
from adc_plugins_detect.health.image_issues import image_issues, limits, odd
from adc_plugins_detect.image_measures.measures import measure_images


def scene(seed, size=64):
    """Colored patches of all sizes with sharp edges, whose frequencies fall as in photographs."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size, size, 3))
    for side in (2, 4, 8, 16):
        layer = Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8))
        total += np.asarray(layer.resize((size, size), Image.Resampling.NEAREST), float) / side
    return ((total - total.min()) / np.ptp(total) * 255).astype(np.uint8)


def issues(*images):
    """Which issues each image has, among twenty scenes."""
    stack = np.stack([*images, *(scene(seed) for seed in range(20))])
    flags = image_issues(measure_images(ImageArray(stack)))
    assert not any(found[len(images) :].any() for found in flags.values())
    return [[name for name, found in flags.items() if found[row]] for row in range(len(images))]


def test_planted_images_are_found():
    rng = np.random.default_rng(0)
    blurred = Image.fromarray(scene(99)).filter(ImageFilter.GaussianBlur(5))
    gray = np.repeat(scene(98).mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    found = issues(
        np.zeros((64, 64, 3), np.uint8),
        np.full((64, 64, 3), 255, np.uint8),
        np.full((64, 64, 3), (90, 130, 40), np.uint8),
        rng.integers(0, 256, (64, 64, 3), np.uint8),
        np.asarray(blurred),
        gray,
        (scene(97) * 0.2).astype(np.uint8),
        255 - (scene(96) * 0.05).astype(np.uint8),
    )
    assert found == [
        ["dark", "low information", "grey"],
        ["bright", "low information", "grey"],
        ["low information"],
        ["noise"],
        ["blurred"],
        ["grey"],
        ["dark"],
        ["bright", "low information"],
    ]


def test_gray_is_told_only_among_color():
    gray = np.repeat(scene(1).mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    stack = np.stack([gray] * 3 + [scene(2)] * 2)
    assert not image_issues(measure_images(ImageArray(stack)))["grey"].any()


def test_sizes(tmp_path):
    """Whole sizes, upright, of images that are shrunk to be measured."""
    image = Image.fromarray(scene(0, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    for name, size, how in (
        ("a.jpg", (600, 300), {"exif": exif}),
        ("b.png", (300, 300), {}),
        ("c.jpg", (90, 90), {}),
        ("d.png", (1200, 100), {}),
    ):
        image.resize(size).save(tmp_path / name, **how)
    paths = ["a.jpg", *["b.png"] * 9, "c.jpg", "d.png"]
    measures = measure_images(ImageFiles(tmp_path, paths))
    assert measures.width.tolist() == [300, *[300] * 9, 90, 1200]
    assert measures.height.tolist() == [600, *[300] * 9, 90, 100]
    flags = image_issues(measures)
    assert flags["odd size"].tolist() == [*[False] * 10, True, False]
    assert flags["odd aspect"].tolist() == [True, *[False] * 10, True]


def test_a_large_image_is_measured_as_its_small_copy(tmp_path):
    image = Image.fromarray(scene(5, 512))
    image.save(tmp_path / "large.jpg", quality=95)
    image.resize((128, 128), Image.Resampling.BOX).save(tmp_path / "small.png")
    measures = measure_images(ImageFiles(tmp_path, ["large.jpg", "small.png"]))
    for name in ("lightest", "darkest", "contrast", "sharpness", "smoothness", "colorfulness"):
        large, small = getattr(measures, name)
        assert large == pytest.approx(small, abs=0.06), name
    different = int(measures.perceptual_hash[0]) ^ int(measures.perceptual_hash[1])
    assert different.bit_count() <= 2


def test_extreme_shapes_are_measured():
    for shape in ((1, 1, 1), (1, 1, 500), (1, 300, 2)):
        measures = measure_images(ImageArray(np.full(shape, 9, np.uint8)))
        assert all(np.isfinite(np.asarray(column, float)).all() for column in measures)


def test_odd_needs_a_factor_and_deviations():
    usual = np.full(20, 100.0)
    assert odd(np.append(usual, [190.0, 201.0, 49.0])).tolist() == [False] * 21 + [True, True]
    spread = np.geomspace(50, 400, 20)
    assert not odd(np.append(spread, 900.0)).any()
    assert odd(np.append(spread, 100_000.0)).tolist() == [False] * 20 + [True]
    assert limits(usual) == pytest.approx((50, 200))


def test_real_images_are_hardly_flagged(shared_data):
    """1,000 CIFAR-10 and 1,000 MNIST images: nothing but grey ones, and at most one of a kind."""
    if ".avif" not in Image.registered_extensions():
        pytest.skip("this Pillow reads no AVIF")
    with Image.open(shared_data / "cifar10" / "test_00.avif") as mosaic:
        pixels = np.asarray(mosaic.convert("RGB"))
    rows, columns = pixels.shape[0] // 32, pixels.shape[1] // 32
    tiles = pixels.reshape(rows, 32, columns, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)
    (path,) = (shared_data / "mnist_label_errors").glob("*images*.gz")
    digits = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    for images in (tiles[:1000], digits.reshape(-1, 28, 28)[:1000]):
        flags = image_issues(measure_images(ImageArray(images)))
        counts = {name: int(found.sum()) for name, found in flags.items()}
        assert counts.pop("grey") <= 30
        assert max(counts.values()) <= 1, counts
        blurred = np.stack([
            np.asarray(Image.fromarray(one).filter(ImageFilter.GaussianBlur(2)))
            for one in images[:200]
        ])  # fmt: skip
        assert image_issues(measure_images(ImageArray(blurred)))["blurred"].mean() > 0.9
