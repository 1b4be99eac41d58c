"""Features of image patches: shapes, promises, and one image by a plain loop."""

from itertools import pairwise

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from adc_core.errors import lines_of
from adc_core.images.sequence import ImageArray
from adc_plugins_detect.encoders import patches as module
from adc_plugins_detect.encoders.patches import PatchEncoder, learn_dictionary, patch_features

SMALL = {"image_size": 12, "filters": 7, "patch": 4, "stride": 2, "cells": 2}


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (150, 12, 12, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def dictionary(pixels):
    return learn_dictionary(pixels, filters=7, patch=4, seed=3)


def by_hand(image, dictionary, patch, stride, cells):
    """One image's features, patch after patch and cell after cell."""
    starts = range(0, len(image) - patch + 1, stride)
    answers = np.empty((len(starts), len(starts), dictionary.filters.shape[1]))
    for row, top in enumerate(starts):
        for column, left in enumerate(starts):
            values = image[top : top + patch, left : left + patch].astype(np.float64) / 255
            values = (values - values.mean()) / np.sqrt(values.var() + 10 / 255**2)
            answers[row, column] = values.ravel() @ dictionary.filters - dictionary.offsets
    edges = np.linspace(0, len(starts), cells + 1).round().astype(int)
    features = []
    for sign in (1, -1):
        kept = np.maximum(sign * answers - 0.25, 0)
        for up, down in pairwise(edges):
            for left, right in pairwise(edges):
                features.append(np.sqrt(kept[up:down, left:right].mean(axis=(0, 1))))
    return np.concatenate(features)


@pytest.mark.parametrize(("stride", "cells"), [(2, 2), (1, 3), (3, 1)])
def test_one_image_by_a_loop_over_its_patches(pixels, dictionary, stride, cells):
    features = patch_features(pixels[:3], dictionary, stride=stride, cells=cells)
    for image, found in zip(pixels, features, strict=False):
        expected = by_hand(image, dictionary, 4, stride, cells)
        assert (expected > 0).any()
        # Responses are float32: beside the threshold a root turns 1e-7 into 3e-4.
        np.testing.assert_allclose(found, expected, atol=2e-3)
        np.testing.assert_allclose(found**2, expected**2, atol=1e-5)


def test_the_dictionary_is_of_whitened_patches_of_length_one(pixels, dictionary):
    assert dictionary.filters.shape == (4 * 4 * 3, 7)
    assert dictionary.filters.dtype == dictionary.offsets.dtype == np.float32
    # The mean patch answers with exactly the offsets: what is subtracted centers the responses.
    windows = np.lib.stride_tricks.sliding_window_view(pixels / 255, (4, 4), axis=(1, 2))
    rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 48)
    rows = rows - rows.mean(axis=1, keepdims=True)
    rows /= np.sqrt(rows.var(axis=1, keepdims=True) + 10 / 255**2)
    responses = rows @ dictionary.filters - dictionary.offsets
    np.testing.assert_allclose(responses.mean(axis=0), 0, atol=0.05)


@pytest.mark.parametrize("side", [8, 12, 40])
def test_shape_and_type_whatever_the_size_of_the_images(side):
    images = np.random.default_rng(1).integers(0, 256, (5, side, side, 3), dtype=np.uint8)
    features = PatchEncoder(**SMALL).encode(ImageArray(images))
    assert features.shape == (5, 2 * 7 * 4)
    assert features.dtype == np.float32
    assert np.isfinite(features).all() and (features >= 0).all()
    assert len(np.unique(features, axis=0)) == 5


def test_same_bytes_on_any_number_of_threads(pixels, monkeypatch):
    images = ImageArray(np.concatenate([pixels, pixels[::-1]]))  # three batches
    encoder = PatchEncoder(**SMALL)
    first = encoder.encode(images)
    for threads in (1, 5):
        monkeypatch.setattr(module.os, "cpu_count", lambda threads=threads: threads)
        with threadpool_limits(threads):
            assert encoder.encode(images).tobytes() == first.tobytes()


def test_an_image_has_the_same_features_wherever_it_stands(pixels, dictionary, monkeypatch):
    doubled = ImageArray(np.concatenate([pixels, pixels]))
    features = PatchEncoder(**SMALL).encode(doubled)
    np.testing.assert_allclose(features[:150], features[150:], atol=1e-4)
    whole = PatchEncoder(**SMALL).encode(ImageArray(pixels))
    monkeypatch.setattr(module, "_BATCH", 11)
    np.testing.assert_allclose(PatchEncoder(**SMALL).encode(ImageArray(pixels)), whole, atol=1e-3)


def test_the_seed_draws_the_dictionary(pixels):
    images = ImageArray(pixels[:20])
    first = PatchEncoder(**SMALL, seed=1).encode(images)
    assert np.array_equal(PatchEncoder(**SMALL, seed=1).encode(images), first)
    assert not np.array_equal(PatchEncoder(**SMALL, seed=2).encode(images), first)


def test_a_mirrored_image_under_a_mirrored_dictionary_has_mirrored_cells(pixels, dictionary):
    mirrored = dictionary._replace(
        filters=dictionary.filters.reshape(4, 4, 3, 7)[:, ::-1].reshape(48, 7)
    )
    features = patch_features(pixels[:4], dictionary, stride=2, cells=1)
    turned = patch_features(pixels[:4, :, ::-1], mirrored, stride=2, cells=1)
    np.testing.assert_allclose(turned**2, features**2, atol=1e-5)


def test_a_constant_image_is_told_by_the_offsets_alone(dictionary):
    flat = np.stack([np.full((12, 12, 3), value, np.uint8) for value in (0, 90, 255)])
    features = patch_features(flat, dictionary, stride=2, cells=2)
    expected = np.sqrt(np.maximum(np.outer((-1, 1), dictionary.offsets) - 0.25, 0))
    wanted = np.repeat(expected[:, None], 4, axis=1).ravel()
    np.testing.assert_allclose(features, np.tile(wanted, (3, 1)), atol=1e-3)


def test_constant_images_alone_are_no_error():
    features = PatchEncoder(**SMALL).encode(ImageArray(np.full((3, 12, 12, 3), 7, np.uint8)))
    assert np.isfinite(features).all()


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (
            {"image_size": 8, "patch": 8},
            [
                "1 patches a side do not fill 3 cells: raise image_size, or lower patch, stride or "
                "cells",
            ],
        ),
        (
            {"image_size": 8, "patch": 20},
            [
                "0 patches a side do not fill 3 cells: raise image_size, or lower patch, stride or "
                "cells",
            ],
        ),
        (
            {"image_size": 4, "filters": 0},
            [
                "image_size: Input should be greater than or equal to 8",
                "filters: Input should be greater than or equal to 1",
            ],
        ),
    ],
)
def test_options_that_do_not_fit(options, lines):
    with pytest.raises(ValueError) as raised:
        PatchEncoder(**options)
    assert lines_of(raised.value) == lines
