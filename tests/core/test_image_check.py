"""Images that cannot be used: which are found, what is said, what is left."""

import io

import numpy as np
import pytest
from PIL import Image

from adc_core import Dataset, ImageArray, ImageFiles, InputError
from adc_core.errors import InputErrors
from adc_core.images.decoding import ImageError, check_image, open_image
from adc_core.runs.image_check import Broken, absent_images, broken_images, leave_out


def encoded(form, size=(60, 40), **options):
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (6, 8, 3), np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


FORMS = {
    "jpg": encoded("JPEG"),
    "progressive.jpg": encoded("JPEG", progressive=True),
    "png": encoded("PNG"),
    "gif": encoded("GIF"),
    "webp": encoded("WEBP"),
    "bmp": encoded("BMP"),
    "tif": encoded("TIFF", compression="tiff_lzw"),
}


def refusal(call, data):
    try:
        call(data, "x")
    except ImageError as error:
        return str(error)
    return None


@pytest.mark.parametrize("form", FORMS)
def test_the_check_says_what_decoding_says(form):
    """Whole images, images cut anywhere, and images with damaged bytes."""
    data = FORMS[form]
    assert refusal(check_image, data) is None
    rng = np.random.default_rng(4)
    refused = 0
    for number in range(120):
        broken = bytearray(data)
        if number % 2:
            broken = broken[: rng.integers(1, len(data))]
        else:
            start = int(rng.integers(0, len(data)))
            broken[start : start + 20] = rng.bytes(min(20, len(data) - start))
        expected = refusal(open_image, bytes(broken))
        assert (refusal(check_image, bytes(broken)) is None) == (expected is None)
        refused += expected is not None
    assert refused > 30


def test_a_bomb_is_refused_undecoded():
    assert refusal(lambda *words: check_image(*words, max_pixels=100), FORMS["png"]) == (
        "x has 60 × 40 pixels, more than 100: a decompression bomb, or shrink it first"
    )


@pytest.fixture
def dataset(tmp_path):
    """Eight files of which 1, 2, 4, 5 and 6 cannot be used."""
    good = FORMS["jpg"]
    content = [good, None, b"", good, good[: len(good) // 2], b"junk", None, good]
    for row, data in enumerate(content):
        if data is not None:
            (tmp_path / f"{row}.jpg").write_bytes(data)
    (tmp_path / "6.jpg").mkdir()
    return Dataset(
        labels=np.arange(8) % 2, images=ImageFiles(tmp_path, [f"{row}.jpg" for row in range(8)])
    )


FOUND = [
    Broken(1, "missing"),
    Broken(2, "empty"),
    Broken(4, "damaged", "image file is truncated (19 bytes not processed)"),
    Broken(5, "not an image"),
    Broken(6, "unreadable"),
]


def test_all_are_found_at_once(dataset):
    assert absent_images(dataset.images) == [FOUND[0], FOUND[1], FOUND[4]]
    found = broken_images(dataset)
    assert [(one.row, one.reason) for one in found] == [(one.row, one.reason) for one in FOUND]
    assert "runcated" in found[2].detail


def test_they_are_left_out_with_a_word(dataset):
    with pytest.warns(UserWarning) as told:
        left = leave_out(dataset, FOUND, strict=False, listed="x lists all")
    assert [str(one.message) for one in told] == [
        "left out 5 of 8 images, which cannot be used: 1.jpg (missing), 2.jpg (empty), "
        "4.jpg (damaged) and 2 more; x lists all"
    ]
    assert left.ids.tolist() == ["0", "3", "7"]
    assert left.images.paths.tolist() == ["0.jpg", "3.jpg", "7.jpg"]
    assert leave_out(left, [], strict=True, listed="") is left


def test_strict_names_all(dataset):
    with pytest.raises(InputErrors) as caught:
        leave_out(dataset, FOUND, strict=True, listed="")
    assert caught.value.faults == (
        "1.jpg: missing: replace or remove it",
        "2.jpg: empty: replace or remove it",
        "4.jpg: damaged (image file is truncated (19 bytes not processed)): replace or remove it",
        "5.jpg: not an image: replace or remove it",
        "6.jpg: unreadable: replace or remove it",
    )


def test_nothing_is_left(dataset):
    rows = np.array([1, 2])
    with pytest.raises(InputError) as caught:
        leave_out(
            dataset.take(rows),
            [Broken(0, "missing"), Broken(1, "empty")],
            strict=False,
            listed="",
        )
    assert str(caught.value) == ("none of 2 images can be used: 1.jpg (missing), 2.jpg (empty)")


def test_pixels_need_no_check():
    assert broken_images(Dataset(labels=[0, 1], images=np.zeros((2, 4, 4), np.uint8))) == []
    assert broken_images(Dataset(labels=[0, 1])) == []


def test_sums_tell_equal_images():
    pixels = np.zeros((3, 4, 4, 3), np.uint8)
    pixels[1] = 9
    sums = ImageArray(pixels).sums
    assert sums[0] == sums[2] != sums[1]
    assert ImageArray(pixels).take(np.array([1])).sums == [sums[1]]


def test_files_are_hashed_once(dataset):
    whole = dataset.images.take(np.array([0, 3, 7]))
    known = whole.sums
    (whole.root / "0.jpg").unlink()
    assert whole.take(np.array([2, 0])).sums == [known[2], known[0]]
