"""The kernel: how images are shrunk, and that nothing is seen in them that was not there."""

import io
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from adc_plugins_search.download.images.verify import ImageRules, verify
from adc_plugins_search.download.outcomes import Reason, Refused, RefusedError

RULES = ImageRules(size=256, min_side=8, max_pixels=64_000_000)
WIDE = 1500


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **({"quality": 95, "subsampling": 0} | options))
    return file.getvalue()


def shrunk(data: bytes, rules: ImageRules = RULES) -> np.ndarray:
    image_bytes, _ = verify(data, rules, "")
    with Image.open(io.BytesIO(image_bytes)) as image:
        assert image.mode == "RGB"
        return np.asarray(image).astype(float)


def stripes(period: int, side: int = WIDE) -> np.ndarray:
    """Hard black and white stripes, the finest pattern that a fabric shows."""
    line = np.where(np.arange(side) % period < period / 2, 255, 0).astype(np.uint8)
    return np.repeat(np.repeat(line[None], side, axis=0)[..., None], 3, axis=2)


# Against a full decoding and Lanczos, measured with Pillow 13 (libjpeg-turbo 3.2):
#   period in 1,500 px     3     4     5     6     7     9    13    17    25
#   ours, dB            58.8  45.2  35.4  47.3  31.8  26.4  28.2  27.9  40.2
#   full, bicubic       67.4  47.8  52.4  50.4  40.6  26.0  30.5  29.2  44.4
#   decoded at the size 24.4  44.6  19.8  19.6  24.1  28.2  23.0  23.0  31.4
#   OpenCV, areas       39.2  20.4  24.1  37.7  21.2  15.9  29.5  27.9  33.5
# and the contrast (standard deviation) of what is left:
#   reference            0.9   1.4   1.6   2.1   2.0   9.2  77.5  99.3 102.8
#   ours                 0.8   1.5   4.6   1.8   6.8  20.7  68.0  91.4 101.8
#   decoded at the size 15.5   0.5  26.3  27.0  16.0  16.9  60.6  85.3  99.8
#   OpenCV, areas        2.7  25.0  15.9   3.2  21.6  49.5  80.1  93.2 105.6
FIGURES = [(3, 58.8), (4, 45.2), (5, 35.4), (6, 47.3), (7, 31.8), (9, 26.4), (13, 28.2), (25, 40.2)]


@pytest.mark.parametrize(("period", "measured"), FIGURES)
def test_fine_stripes_stay_as_they_are(period: int, measured: float) -> None:
    """As near to the truth as when this was written; a decibel is left to other decoders."""
    data = jpeg(stripes(period))
    with Image.open(io.BytesIO(data)) as image:
        reference = image.convert("RGB").resize((256, 256), Image.Resampling.LANCZOS)
    error = np.mean((shrunk(data) - np.asarray(reference)) ** 2)
    assert 10 * np.log10(255**2 / error) > measured - 1


@pytest.mark.parametrize("period", [3, 5, 6, 7])
def test_stripes_too_fine_to_show_become_no_coarse_ones(period: int) -> None:
    """As they would, twice as strong at the least, decoded at no more than the target."""
    data = jpeg(stripes(period))
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (256, 256))
        starved = np.asarray(image.resize((256, 256), Image.Resampling.BICUBIC))
    assert shrunk(data).std() < starved.std() / 2


def test_opencv_is_less_fine_and_close_all_the_same() -> None:
    pytest.importorskip("cv2")
    opencv = ImageRules(size=256, min_side=8, max_pixels=64_000_000, decoder="opencv")
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (30, 40, 3), np.uint8)
    data = jpeg(np.asarray(Image.fromarray(coarse).resize((800, 600), Image.Resampling.BICUBIC)))
    difference = np.abs(shrunk(data, opencv) - shrunk(data))
    assert difference.mean() < 1.5
    assert shrunk(data, opencv).shape == (256, 341, 3)


@pytest.mark.parametrize("decoder", ["pillow", "opencv"])
@pytest.mark.parametrize(
    "kind",
    ["grey", "cmyk", "turned", "progressive", "png", "small"],
)
def test_both_decoders_store_every_kind(decoder: str, kind: str) -> None:
    if decoder == "opencv":
        pytest.importorskip("cv2")
    rules = ImageRules(size=64, min_side=8, max_pixels=64_000_000, decoder=decoder)
    pixels = np.zeros((200, 400, 3), np.uint8)
    pixels[:, :200] = (200, 40, 40)
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    if kind == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(file, "JPEG", exif=exif, quality=95)
    elif kind == "png":
        image.save(file, "PNG")
    elif kind == "small":
        image.resize((50, 40)).save(file, "JPEG", quality=95)
    else:
        mode = {"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB")
        image.convert(mode).save(file, "JPEG", quality=95, progressive=kind == "progressive")
    image_bytes, stored = verify(file.getvalue(), rules, "http://a.example/")
    with Image.open(io.BytesIO(image_bytes)) as found:
        size, shown = found.size, np.asarray(found).astype(int)
    expected = {"turned": (64, 128), "small": (50, 40)}.get(kind, (128, 64))
    assert size == expected
    assert (stored.width, stored.height) == {"turned": (200, 400), "small": (50, 40)}.get(
        kind, (400, 200)
    )
    assert stored.format == ("PNG" if kind == "png" else "JPEG")
    assert stored.mode == {"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB")
    red = (88, 88, 88) if kind == "grey" else (200, 40, 40)
    assert np.abs(shown[4, 4] - red).max() < 8
    assert shown[-4, -4].max() < 8


@pytest.mark.parametrize("decoder", ["pillow", "opencv"])
def test_half_a_jpeg_is_damaged(decoder: str) -> None:
    if decoder == "opencv":
        pytest.importorskip("cv2")
    rules = ImageRules(size=64, min_side=8, max_pixels=64_000_000, decoder=decoder)
    data = jpeg(stripes(9, 300))
    with pytest.raises(RefusedError) as raised:
        verify(data[: len(data) // 2], rules, "")
    assert raised.value.refused.reason is Reason.DAMAGED


def test_a_bomb_in_a_png_is_not_decoded_to_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    Image.new("1", (4000, 4000)).save(file, "PNG")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", None)
    with pytest.raises(RefusedError) as caught:
        verify(file.getvalue(), ImageRules(64, 32, 1_000_000), "http://a/")
    assert caught.value.refused == Refused(Reason.TOO_MANY_PIXELS, "more than 1,000,000")


def test_a_jpeg_of_too_many_scans() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    start = data.rindex(b"\xff\xda")
    bomb = data[:-2] + 200 * data[start:-2] + data[-2:]
    with pytest.raises(RefusedError) as caught:
        verify(bomb, ImageRules(64, 32, 1_000_000), "http://a/")
    assert caught.value.refused == Refused(Reason.DAMAGED, "more than 100 scans in a JPEG")


def test_scans_of_a_large_jpeg_cost_more() -> None:
    file = io.BytesIO()
    Image.new("L", (6000, 6000)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    bomb = data[:-2] + 50 * data[data.rindex(b"\xff\xda") : -2] + data[-2:]
    scans = bomb.count(b"\xff\xda")
    with pytest.raises(RefusedError) as caught:
        verify(bomb, RULES, "http://a/")
    detail = f"{scans} scans of 6000 × 6000 pixels in a JPEG"
    assert caught.value.refused == Refused(Reason.DAMAGED, detail)
    assert verify(data, RULES, "http://a/")


def test_a_webp_may_have_half_as_many_pixels() -> None:
    file = io.BytesIO()
    Image.new("RGB", (100, 100)).save(file, "WEBP", lossless=True)
    assert verify(file.getvalue(), ImageRules(64, 32, 20_000), "http://a/")
    with pytest.raises(RefusedError) as caught:
        verify(file.getvalue(), ImageRules(64, 32, 19_999), "http://a/")
    assert caught.value.refused == Refused(Reason.TOO_MANY_PIXELS, "more than 9,999 in a WebP")


PEAK = """
import resource, sys
from adc_plugins_search.download.images.verify import ImageRules, verify

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

data = sys.stdin.buffer.read()
before = peak()
verify(data, ImageRules(64, 32, 64_000_000), "http://a/")
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak has another unit")
@pytest.mark.parametrize(
    ("mode", "form", "most"), [("I;16", "PNG", 13), ("RGBA", "PNG", 13), ("RGB", "PNG", 7)]
)
def test_a_large_image_takes_few_bytes_per_pixel(mode: str, form: str, most: int) -> None:
    """A small file can hold any number of pixels: 16 million here, 64 at the most."""
    file = io.BytesIO()
    Image.new(mode, (4000, 4000)).save(file, form)
    command = [sys.executable, "-P", "-c", PEAK]
    ended = subprocess.run(command, input=file.getvalue(), stdout=subprocess.PIPE, check=True)
    assert int(ended.stdout) < most * 16


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak has another unit")
def test_tags_that_share_their_bytes_are_not_read_again_and_again() -> None:
    """400 tags of 2 MB each in a file of 2 MB, as Pillow reads them before its version 13."""
    tags, size = 400, 2_000_000
    place = 8 + 2 + 12 * tags + 4
    entries = (struct.pack("<HHII", 1000 + tag, 7, size, place) for tag in range(tags))
    exif = b"II*\0" + struct.pack("<IH", 8, tags) + b"".join(entries) + bytes(4 + size)
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG", exif=exif)
    command = [sys.executable, "-P", "-W", "ignore", "-c", PEAK]
    ended = subprocess.run(command, input=file.getvalue(), stdout=subprocess.PIPE, check=True)
    assert int(ended.stdout) < 100


def test_memory_that_is_not_there_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", full)
    with pytest.raises(RefusedError) as caught:
        verify(file.getvalue(), RULES, "http://a/")
    assert caught.value.refused == Refused(Reason.TOO_MANY_PIXELS, "more memory than there is")


def test_an_image_that_is_cut_within_its_header() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG")
    with pytest.raises(RefusedError) as caught:
        verify(file.getvalue()[:20], ImageRules(64, 32, 1_000_000), "http://a/")
    assert caught.value.refused == Refused(Reason.DAMAGED, "its header is cut off or broken")
