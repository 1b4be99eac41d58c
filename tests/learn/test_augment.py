import numpy as np
import pytest
import torch

from adc_plugins_learn.training.data.augment.geometry import (
    random_horizontal_flip,
    random_translation,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return torch.from_numpy(pixels)


def test_translation_only_moves():
    pixels, reach = noise(40, 9, 11, 3) | 1, 2
    moves = set()
    for before, after in zip(
        pixels.numpy(), random_translation(pixels, generator(), reach).numpy(), strict=True
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


def test_translation_may_reach_beyond_the_image():
    assert random_translation(noise(3, 4, 4, 3), generator(), 9).shape == (3, 4, 4, 3)


def test_flipping_turns_some_images_left_to_right():
    pixels = noise(40, 5, 6, 3)
    turned = [
        not torch.equal(before, after)
        for before, after in zip(pixels, random_horizontal_flip(pixels, generator()), strict=True)
    ]
    assert 10 < sum(turned) < 30
    where = torch.tensor(turned)
    assert torch.equal(random_horizontal_flip(pixels, generator())[where], pixels[where].flip(2))


@pytest.mark.parametrize(
    "change", [lambda p, g: random_translation(p, g, 2), random_horizontal_flip]
)
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
