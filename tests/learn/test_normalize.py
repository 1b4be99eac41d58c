import numpy as np
import pytest
import torch

from adc_plugins_learn.training.data.normalize import channel_statistics, to_input


def noise(*shape, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return torch.from_numpy(pixels)


def test_to_input():
    pixels = noise(5, 6, 7, 3)
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    images = to_input(pixels, mean, std)
    assert images.dtype == torch.float32
    wanted = (pixels.numpy() / 255 - np.array(mean)) / np.array(std)
    np.testing.assert_allclose(images, wanted.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-6)


def test_channel_statistics_are_those_of_numpy():
    pixels = noise(9, 8, 7, 3)
    mean, std = channel_statistics([pixels])
    values = pixels.numpy() / 255
    np.testing.assert_allclose(mean, values.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(std, values.std(axis=(0, 1, 2)), rtol=1e-9)


def test_channel_statistics_of_sums_beyond_32_bits():
    pixels = torch.full((1, 2910, 2910, 3), 255, dtype=torch.uint8)
    assert int(pixels[..., 0].sum()) > 2**31
    pixels[0, 0, 0] = 0
    mean, _ = channel_statistics([pixels])
    assert mean == pytest.approx((1 - 1 / 2910**2,) * 3, rel=1e-12)


def test_normalized_images_have_mean_zero_and_deviation_one():
    pixels = noise(20, 8, 8, 3)
    images = to_input(pixels, *channel_statistics([pixels])).double()
    np.testing.assert_allclose(images.mean(dim=(0, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(images.std(dim=(0, 2, 3), correction=0), 1, rtol=1e-6)


def test_constant_images_are_not_divided_by_zero():
    pixels = torch.full((2, 4, 4, 3), 77, dtype=torch.uint8)
    mean, std = channel_statistics([pixels])
    assert std == (0.01, 0.01, 0.01)
    assert to_input(pixels, mean, std).abs().max() < 1e-4
