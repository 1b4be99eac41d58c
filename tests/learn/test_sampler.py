import pytest
import torch

from adc_plugins_learn.training.data.augment.steps import Augmentation, build_augmentation
from adc_plugins_learn.training.data.image_source import InMemoryImages
from adc_plugins_learn.training.data.normalize import channel_statistics, to_input
from adc_plugins_learn.training.data.sampler import TrainingSampler
from adc_plugins_learn.training.networks.backbones import build_backbone

AUGMENTED = build_augmentation(None, 2, True)


@pytest.fixture
def sampler(squares):
    return made(squares)


def made(squares, augmentation=AUGMENTED):
    pixels = torch.from_numpy(squares.images.array.copy())
    labels = torch.from_numpy(squares.labels.copy())
    mean, std = channel_statistics([pixels])
    return TrainingSampler(
        InMemoryImages(pixels),
        labels,
        3,
        batch_size=10,
        augmentation=augmentation,
        seed=0,
        mean=mean,
        std=std,
    )


def test_shuffled_rows(sampler):
    batches = sampler.shuffled_batches()
    assert [len(batch) for batch in batches] == [10, 10, 11]
    assert sorted(torch.cat(batches).tolist()) == list(range(31))
    some = sampler.shuffled_batches(torch.tensor([7, 3, 5, 9, 11]), batch_size=2)
    assert [len(batch) for batch in some] == [2, 3]
    assert sorted(torch.cat(some).tolist()) == [3, 5, 7, 9, 11]
    assert [len(batch) for batch in sampler.shuffled_batches(torch.tensor([4]))] == [1]


def test_rows_drawn_with_replacement_repeat(sampler):
    drawn = sampler.sample_with_replacement(1000)
    assert drawn.min() == 0
    assert drawn.max() == 30
    assert not torch.equal(drawn, sampler.sample_with_replacement(1000))


def test_the_same_rows_twice_are_two_views(sampler, squares):
    rows = torch.arange(8)
    first, second = sampler.batch(rows), sampler.batch(rows)
    assert torch.equal(first.labels, second.labels)
    assert not torch.equal(first.images, second.images)
    plain = made(squares, Augmentation())
    assert torch.equal(plain.batch(rows).images, plain.batch(rows).images)


def test_evaluation_is_plain(sampler, squares):
    """No augmentation, no gradient, statistics of BatchNorm as they are, and training goes on."""
    network = build_backbone("small-cnn", 3).train()
    before = [value.clone() for value in network.state_dict().values()]
    logits = sampler.evaluate(network)
    assert network.training
    assert not logits.requires_grad
    after = network.state_dict().values()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    pixels = torch.from_numpy(squares.images.array.copy())
    plain = network.eval()(to_input(pixels, *channel_statistics([pixels])))
    torch.testing.assert_close(logits, plain)
