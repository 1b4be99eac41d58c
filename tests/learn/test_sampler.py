import pytest
import torch

from adc_plugins_learn.training.config import Recipe
from adc_plugins_learn.training.data.image_source import HeldPictures
from adc_plugins_learn.training.data.normalize import channel_statistics, to_input
from adc_plugins_learn.training.data.sampler import Samples
from adc_plugins_learn.training.networks.backbones import build_backbone


@pytest.fixture
def samples(squares):
    return made(squares)


def made(squares, **options):
    pixels = torch.from_numpy(squares.images.array.copy())
    labels = torch.from_numpy(squares.labels.copy())
    recipe = Recipe(image_size=12, batch_size=10, **options)
    return Samples(HeldPictures(pixels), labels, 3, recipe, *channel_statistics([pixels]))


def test_shuffled_rows(samples):
    batches = samples.shuffled()
    assert [len(batch) for batch in batches] == [10, 10, 11]
    assert sorted(torch.cat(batches).tolist()) == list(range(31))
    some = samples.shuffled(torch.tensor([7, 3, 5, 9, 11]), size=2)
    assert [len(batch) for batch in some] == [2, 3]
    assert sorted(torch.cat(some).tolist()) == [3, 5, 7, 9, 11]
    assert [len(batch) for batch in samples.shuffled(torch.tensor([4]))] == [1]


def test_drawn_rows_repeat(samples):
    drawn = samples.drawn(1000)
    assert drawn.min() == 0
    assert drawn.max() == 30
    assert not torch.equal(drawn, samples.drawn(1000))


def test_the_same_rows_twice_are_two_views(samples, squares):
    rows = torch.arange(8)
    first, second = samples.batch(rows), samples.batch(rows)
    assert torch.equal(first.labels, second.labels)
    assert not torch.equal(first.images, second.images)
    plain = made(squares, shift=0, mirror=False)
    assert torch.equal(plain.batch(rows).images, plain.batch(rows).images)


def test_evaluation_is_plain(samples, squares):
    """No augmentation, no gradient, statistics of BatchNorm as they are, and training goes on."""
    network = build_backbone("small-cnn", 3).train()
    before = [value.clone() for value in network.state_dict().values()]
    logits = samples.evaluate(network)
    assert network.training
    assert not logits.requires_grad
    after = network.state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    pixels = torch.from_numpy(squares.images.array.copy())
    plain = network.eval()(to_input(pixels, *channel_statistics([pixels])))
    torch.testing.assert_close(logits, plain)
