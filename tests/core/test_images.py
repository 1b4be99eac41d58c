"""Images: every kind decoded right, every bad one refused in one line."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from adc_core.images import decoding
from adc_core.images.decoding import ImageError, open_image
from adc_core.images.sequence import ImageArray, ImageFiles


def encoded(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def bomb(width, height):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_orientation_is_applied():
    image = Image.new("RGB", (8, 4), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    assert open_image(encoded(image, "JPEG", exif=exif)).size == (4, 8)


@pytest.mark.parametrize(
    ("image", "form", "expected"),
    [
        (Image.new("L", (4, 4), 100), "PNG", (100, 100, 100)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 255)), "PNG", (255, 0, 0)),
        (Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), "PNG", (255, 255, 255)),
        (Image.fromarray(np.full((4, 4), 25700, np.uint16)), "PNG", (100, 100, 100)),
        (Image.new("P", (4, 4), 0), "GIF", (0, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb(image, form, expected):
    decoded = open_image(encoded(image, form))
    assert decoded.mode == "RGB"
    assert decoded.getpixel((1, 1)) == pytest.approx(expected, abs=1)


PNG = encoded(Image.new("RGB", (64, 64), "red"))
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<html>no image</html>", "x is not an image: replace or remove it"),
        (b"", "x is not an image: replace or remove it"),
        (
            encoded(NOISE, "JPEG")[:900],
            "x is damaged (image file is truncated (",
        ),
        (
            bomb(60000, 60000),
            "x is a decompression bomb: remove it",
        ),
        (
            bomb(9000, 9000),
            "x has 9000 × 9000 pixels, more than 64,000,000: a decompression bomb, "
            "or shrink it first",
        ),
    ],
)
def test_bad_images_are_refused(data, message):
    with pytest.raises(ImageError) as caught:
        open_image(data, "x")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_an_image_is_the_same_in_bands_and_as_a_whole(monkeypatch):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (37, 53, 4), np.uint8)
    for image in (
        Image.fromarray(pixels, "RGBA"),
        Image.fromarray(pixels, "RGBA").convert("LA"),
        Image.fromarray(rng.integers(0, 1 << 16, (37, 53)).astype(np.uint16)),
    ):
        file = io.BytesIO()
        image.save(file, "PNG")
        whole = open_image(file.getvalue()).tobytes()
        with monkeypatch.context() as patch:
            patch.setattr(decoding, "_BAND_PIXELS", 200)
            assert open_image(file.getvalue()).tobytes() == whole


def test_a_missing_file_is_named(tmp_path):
    images = ImageFiles(tmp_path, ["gone.png"])
    with pytest.raises(ImageError) as caught:
        images[0]
    assert str(caught.value) == (f"{tmp_path}/gone.png is missing: put it back or remove its row")


def test_resized_keeps_the_middle():
    wide = np.zeros((1, 10, 30, 3), np.uint8)
    wide[:, :, 10:20] = 255
    assert ImageArray(wide).resized(10).min() == 255


def test_resized_takes_rows_in_order(tmp_path):
    for name in ("black", "white"):
        Image.new("RGB", (9, 9), name).save(tmp_path / f"{name}.png")
    images = ImageFiles(tmp_path, ["black.png", "white.png"])
    assert images.resized(4, np.array([1, 0, 1])).mean(axis=(1, 2, 3)).tolist() == [255, 0, 255]


def test_files_are_hashed_by_content(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(PNG)
    assert ImageFiles(tmp_path, ["one"]).fingerprint == ImageFiles(tmp_path, ["two"]).fingerprint
    (tmp_path / "two").write_bytes(PNG + b" ")
    assert ImageFiles(tmp_path, ["one"]).fingerprint != ImageFiles(tmp_path, ["two"]).fingerprint


def test_small_images_tell_their_whole_size(tmp_path):
    """Shrunk, upright, never enlarged; the same from a file, from a tar file and from pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    gradient = Image.linear_gradient("L").resize((400, 100)).convert("RGB")
    gradient.save(tmp_path / "turned.jpg", exif=exif)
    gradient.resize((40, 10)).save(tmp_path / "tiny.png")
    files = ImageFiles(tmp_path, ["turned.jpg", "tiny.png"])
    small, size = files.small(0, 64)
    assert (small.size, size) == ((16, 64), (100, 400))
    whole = Image.fromarray(files[0])
    whole.thumbnail((64, 64), Image.Resampling.BOX)
    assert np.abs(np.asarray(small, float) - np.asarray(whole, float)).mean() < 3
    small, size = files.small(1, 64)
    assert (small.size, size) == ((40, 10), (40, 10))
    assert np.array_equal(np.asarray(small), files[1])
    array = ImageArray(np.asarray(files[0])[None])
    small, size = array.small(0, 64)
    assert (small.size, size) == ((16, 64), (100, 400))
