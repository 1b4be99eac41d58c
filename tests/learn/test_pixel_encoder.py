import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from threadpoolctl import threadpool_limits

from adc_core.errors import InputError, lines_of
from adc_core.images.sequence import ImageArray
from adc_plugins_learn.encoders import pixels as module
from adc_plugins_learn.encoders.pixels import PixelEncoder, principal_components


@pytest.fixture(scope="module")
def rows():
    """400 rows whose directions of variance are clearly apart."""
    rng = np.random.default_rng(1)
    spread = 1.3 ** -np.arange(24)
    turned = np.linalg.qr(rng.normal(size=(24, 24)))[0]
    return ((rng.normal(size=(400, 24)) * spread) @ turned + 3).astype(np.float32)


def test_equal_to_the_singular_values_of_numpy(rows):
    centered = rows - rows.mean(axis=0, dtype=np.float64)
    u, s, _ = np.linalg.svd(centered, full_matrices=False)
    found = principal_components(rows, 10)
    wanted = (u * s)[:, :10]
    signs = np.sign((found * wanted).sum(axis=0))
    np.testing.assert_allclose(found, wanted * signs, rtol=0, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 12), st.integers(2, 30))
def test_all_components_are_a_rotation(seed, width, count):
    rows = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    found = principal_components(rows, width).astype(np.float64)
    centered = rows - rows.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(found @ found.T, centered @ centered.T, atol=1e-4)
    covariance = found.T @ found / count
    variances = np.diag(covariance)
    np.testing.assert_allclose(covariance, np.diag(variances), atol=1e-5)
    assert (np.diff(variances) <= 1e-5).all()


def test_the_sign_does_not_depend_on_the_sign_of_the_rows(rows):
    # Directions are the same for mirrored data; with fixed signs the coordinates change sign.
    np.testing.assert_allclose(
        principal_components(-rows, 10), -principal_components(rows, 10), atol=1e-5
    )


def test_the_sign_is_that_of_the_first_of_equal_weights():
    rng = np.random.default_rng(0)
    along = rng.normal(size=(50, 1))
    for nudge in (1e-9, -1e-9):  # what another order of sums may change
        direction = np.array([[1 - nudge, -1 + nudge, 0.1]])
        found = principal_components((along @ direction).astype(np.float32), 1)
        assert np.corrcoef(found[:, 0], along[:, 0])[0, 1] > 0.999


def test_chunks_change_nothing_but_rounding(rows, monkeypatch):
    whole = principal_components(rows, 10)
    monkeypatch.setattr("adc_core.arrays.validation.CHUNK_BYTES", 7 * rows[:1].nbytes)
    np.testing.assert_allclose(principal_components(rows, 10), whole, rtol=0, atol=1e-6)


def test_threads_change_nothing_but_rounding():
    rng = np.random.default_rng(2)
    many = (rng.normal(size=(3000, 200)) * 1.05 ** -np.arange(200)).astype(np.float32)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(principal_components(many, 20))
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-5)


def test_memory_maps_stay_as_they_are(rows, tmp_path):
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    np.testing.assert_array_equal(principal_components(mapped, 5), principal_components(rows, 5))


def test_constant_rows_have_no_coordinates():
    found = principal_components(np.full((7, 5), 0.3, np.float32), 3)
    np.testing.assert_allclose(found, 0, atol=1e-7)


def test_more_components_than_columns(rows):
    with pytest.raises(InputError) as error:
        principal_components(rows, 25)
    assert str(error.value) == "25 components of 24 columns: ask for at most 24"


PIXELS = np.random.default_rng(5).integers(0, 256, (30, 20, 20, 3), dtype=np.uint8)


def test_without_components_pixels_come_as_they_are():
    encoder = PixelEncoder(image_size=20, color=True, components=None)
    features = encoder.encode(ImageArray(PIXELS))
    np.testing.assert_array_equal(features, PIXELS.reshape(30, -1).astype(np.float32) / 255)


def test_gray_is_the_luma():
    encoder = PixelEncoder(image_size=20, components=None)
    features = encoder.encode(ImageArray(PIXELS))
    luma = (PIXELS / 255) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(features, luma.reshape(30, -1), atol=1e-6)


def test_components_are_those_of_the_pixels():
    images = ImageArray(PIXELS)
    features = PixelEncoder(image_size=8, components=5).encode(images)
    pixels = PixelEncoder(image_size=8, components=None).encode(images)
    np.testing.assert_array_equal(features, principal_components(pixels, 5))
    assert features.dtype == np.float32


def test_batches_of_images_change_nothing(monkeypatch):
    whole = PixelEncoder(image_size=8).encode(ImageArray(PIXELS))
    monkeypatch.setattr(module, "_BATCH", 7)
    np.testing.assert_array_equal(PixelEncoder(image_size=8).encode(ImageArray(PIXELS)), whole)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"image_size": 4, "components": 17},
            "17 components of 16 pixels: lower components or raise image_size",
        ),
        (
            {"image_size": 64, "color": True},
            "principal components of 12288 pixels take too long, at most 4096: "
            "lower image_size, or set components to null",
        ),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with pytest.raises(ValidationError) as error:
        PixelEncoder(**options)
    assert lines_of(error.value) == [message]


def test_every_pixel_may_be_a_component():
    assert PixelEncoder(image_size=4, components=16).encode(ImageArray(PIXELS)).shape == (30, 16)
