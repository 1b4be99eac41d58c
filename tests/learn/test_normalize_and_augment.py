import numpy as np
import pytest
import torch

from adc_plugins_learn.training.data.augment import mirror, shift
from adc_plugins_learn.training.data.normalize import channel_statistics, to_input


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


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


def test_normalized_pictures_have_mean_zero_and_deviation_one():
    pixels = noise(20, 8, 8, 3)
    images = to_input(pixels, *channel_statistics([pixels])).double()
    np.testing.assert_allclose(images.mean(dim=(0, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(images.std(dim=(0, 2, 3), correction=0), 1, rtol=1e-6)


def test_constant_pictures_are_not_divided_by_zero():
    pixels = torch.full((2, 4, 4, 3), 77, dtype=torch.uint8)
    mean, std = channel_statistics([pixels])
    assert std == (0.01, 0.01, 0.01)
    assert to_input(pixels, mean, std).abs().max() < 1e-4


def test_shift_only_moves():
    pixels, reach = noise(40, 9, 11, 3) | 1, 2
    moves = set()
    for before, after in zip(
        pixels.numpy(), shift(pixels, reach, generator()).numpy(), strict=True
    ):
        framed = np.pad(before, ((reach, reach), (reach, reach), (0, 0)))
        views = {
            (down, right): framed[down : down + 9, right : right + 11]
            for down in range(2 * reach + 1)
            for right in range(2 * reach + 1)
        }
        found = [move for move, view in views.items() if np.array_equal(view, after)]
        assert len(found) == 1
        moves |= set(found)
    assert {down for down, _ in moves} == {right for _, right in moves} == set(range(5))


def test_shift_may_reach_beyond_the_picture():
    assert shift(noise(3, 4, 4, 3), 9, generator()).shape == (3, 4, 4, 3)


def test_mirror_turns_some_pictures_left_to_right():
    pixels = noise(40, 5, 6, 3)
    turned = [
        not torch.equal(before, after)
        for before, after in zip(pixels, mirror(pixels, generator()), strict=True)
    ]
    assert 10 < sum(turned) < 30
    where = torch.tensor(turned)
    assert torch.equal(mirror(pixels, generator())[where], pixels[where].flip(2))


@pytest.mark.parametrize("change", [lambda p, g: shift(p, 2, g), mirror])
def test_changes_follow_their_generator_alone(change):
    pixels = noise(16, 8, 8, 3)
    kept, state = pixels.clone(), torch.get_rng_state()
    first = change(pixels, generator(1))
    torch.rand(5)
    torch.set_rng_state(state)
    assert torch.equal(change(pixels, generator(1)), first)
    assert not torch.equal(change(pixels, generator(2)), first)
    assert torch.equal(pixels, kept)
    assert torch.equal(torch.get_rng_state(), state)
