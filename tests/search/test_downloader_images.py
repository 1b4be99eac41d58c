"""What is and what is not an image, and as what every kind of image is stored."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adc_core.components.context import work_context
from adc_core.records.dataset import Dataset
from adc_plugins_search.collectors.downloader import Downloader


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def blank(mode: str, size: tuple[int, int], kind: str) -> bytes:
    return saved(Image.new(mode, size), kind)


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (b"<!doctype html><p>Log in", "not an image", "begins with '<!doctype html><p>Lo'"),
        (b"", "not an image", "begins with ''"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image", "begins with '%!PS-Adobe-3.0 EPSF-'"),
        (blank("1", (12_000, 12_000), "PNG"), "too many pixels", "more than 64,000,000"),
        (blank("1", (65_501, 9), "PNG"), "too many pixels", "a side of more than 65,500"),
        (blank("RGB", (1, 1), "GIF"), "too small", "1 × 1 pixels, less than 8"),
        (blank("RGB", (900, 7), "PNG"), "too small", "900 × 7 pixels, less than 8"),
    ],
    ids=["html", "empty", "postscript", "bomb", "thread", "dot", "strip"],
)
def test_bodies_that_are_no_images(site, outcome_of, body: bytes, reason: str, detail: str) -> None:
    assert outcome_of(site.serve("/x.jpg", body)) == (reason, detail)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_truncated_images_are_refused(site, outcome_of, image_bytes, kind: str) -> None:
    body = image_bytes(1, (256, 256), kind)
    reason, detail = outcome_of(site.serve("/x.jpg", body[: len(body) // 2]))
    assert reason == "damaged"
    assert detail


def test_the_cap_on_pixels_is_an_option(site, outcome_of, image_bytes) -> None:
    url = site.serve("/x.jpg", image_bytes(1, (80, 48)))
    assert outcome_of(url, max_pixels=80 * 48 - 1) == ("too many pixels", "more than 3,839")
    assert outcome_of(url, max_pixels=80 * 48) is None


@pytest.fixture
def stored(tmp_path: Path, site, listed, design_of) -> Callable[[bytes], np.ndarray]:
    """The pixels as which some bytes are stored."""

    def run(body: bytes) -> np.ndarray:
        searcher = listed(urls={"cat": (site.serve("/x", body, "text/plain"),)})
        with work_context(tmp_path / "work"):
            collector = Downloader(allow_hosts=(site.endpoint,))
            dataset: Dataset = collector.collect(design_of("cat", "dog"), [searcher])
        return dataset.images[0].astype(int)

    return run


def halves(left: Any, right: Any, mode: str) -> Image.Image:
    image = Image.new(mode, (64, 32), left)
    image.paste(right, (32, 0, 64, 32))
    return image


RED, BLUE = (220, 30, 30), (30, 30, 220)
DEEP = np.repeat(np.array([10_000, 60_000], np.uint16), 32)[None].repeat(32, axis=0)


def test_orientation_is_applied(stored) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned a quarter to the right
    pixels = stored(saved(halves(RED, BLUE, "RGB"), "JPEG", exif=exif, quality=95))
    assert pixels.shape == (64, 32, 3)
    assert np.abs(pixels[8, 16] - RED).max() < 6
    assert np.abs(pixels[56, 16] - BLUE).max() < 6


@pytest.mark.parametrize(
    ("image", "kind", "left", "right"),
    [
        (halves((0, 255, 255, 0), (0, 0, 0, 255), "CMYK"), "JPEG", (255, 0, 0), (0, 0, 0)),
        (Image.fromarray(DEEP), "PNG", (39, 39, 39), (233, 233, 233)),
        (halves((255, 0, 0, 0), (0, 0, 255, 255), "RGBA"), "PNG", (255, 255, 255), (0, 0, 255)),
        (halves((0, 0), (0, 128), "LA"), "PNG", (255, 255, 255), (127, 127, 127)),
        (halves(40, 200, "L"), "JPEG", (40, 40, 40), (200, 200, 200)),
        (halves(0, 1, "1"), "PNG", (0, 0, 0), (255, 255, 255)),
    ],
    ids=["cmyk", "16-bit", "alpha", "grey-alpha", "grey", "1-bit"],
)
def test_every_mode_becomes_rgb(stored, image, kind: str, left: Any, right: Any) -> None:
    pixels = stored(saved(image, kind))
    assert pixels.shape == (32, 64, 3)
    assert np.abs(pixels[16, 8] - left).max() < 6
    assert np.abs(pixels[16, 56] - right).max() < 6


def test_a_palette_with_a_transparent_color(stored) -> None:
    image = halves(0, 1, "P")
    image.putpalette([200, 0, 0, 0, 0, 200])
    pixels = stored(saved(image, "PNG", transparency=0))
    assert np.abs(pixels[16, 8] - 255).max() < 6
    assert np.abs(pixels[16, 56] - (0, 0, 200)).max() < 6


def test_an_animation_gives_its_first_frame(stored) -> None:
    frames = [Image.new("RGB", (64, 32), color) for color in (RED, BLUE)]
    pixels = stored(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert np.abs(pixels[16, 8] - RED).max() < 6
