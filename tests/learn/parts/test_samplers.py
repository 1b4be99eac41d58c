"""What an epoch consists of."""

import numpy as np
import pytest
import torch
from torch.utils.data import Sampler as TorchBase

from adc_core import InputError
from adc_core.components import ResultFault
from adc_plugins_learn import (
    ClassBalanced,
    CrossEntropy,
    Sampler,
    TorchSampler,
    TrainingContext,
    sampling_probabilities,
)

LABELS = torch.tensor([0] * 900 + [1] * 90 + [2] * 10)
QUICK = {"epochs": 2, "image_size": 8, "batch_size": 8}


def context(epoch=0):
    return TrainingContext(torch.tensor([900.0, 90.0, 10.0]), epochs=10, epoch=epoch)


def drawn(sampler, epoch=0, seed=1):
    return sampler.draw(LABELS, context(epoch), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("exponent", "parts"),
    [(0, [1 / 3, 1 / 3, 1 / 3]), (1, [0.9, 0.09, 0.01]), (0.5, [0.7034, 0.2224, 0.0741])],
)
def test_classes_are_drawn_by_a_power_of_their_size(exponent, parts):
    chances = sampling_probabilities(LABELS, 3, exponent)
    sums = torch.bincount(LABELS, chances, minlength=3)
    torch.testing.assert_close(sums, torch.tensor(parts, dtype=torch.float64), atol=1e-4, rtol=0)


def test_it_draws_as_its_chances_say_and_alike_from_one_seed():
    rows = drawn(ClassBalanced())
    counts = torch.bincount(LABELS[rows], minlength=3)
    assert len(rows) == 1000
    assert (counts - 333).abs().max() < 60  # four standard deviations
    assert torch.equal(rows, drawn(ClassBalanced()))
    assert not torch.equal(rows, drawn(ClassBalanced(), seed=2))


def test_before_its_time_each_sample_comes_once():
    assert drawn(ClassBalanced(after=0.5), epoch=4).sort().values.tolist() == list(range(1000))
    assert len(drawn(ClassBalanced(after=0.5), epoch=5).unique()) < 1000


def test_a_training_sees_what_was_drawn(squares):
    rare = squares.take(np.flatnonzero((squares.labels != 0) | (np.arange(31) < 4)))
    model = CrossEntropy(**QUICK, sampler=ClassBalanced()).learn(rare)
    unseen = np.isclose(model.dynamics.given_probability[:, 0], 1 / 3)
    assert unseen.any(), "of 23 draws with replacement some are left out"
    np.testing.assert_allclose(model.dynamics.loss[unseen, 0], np.log(3), rtol=1e-6)
    assert not model.dynamics.correct[unseen, 0].any()


class Backwards(TorchBase):
    """Every second sample, the last first."""

    def __init__(self, labels: torch.Tensor, step: int = 2) -> None:
        self.count, self.step = len(labels), step

    def __iter__(self):
        return iter(range(self.count - 1, -1, -self.step))


def weighted(labels: torch.Tensor) -> TorchBase:
    return torch.utils.data.WeightedRandomSampler(1 / (1 + labels.double()), 50)


def test_a_sampler_of_torch():
    here = f"{__name__}:Backwards"
    assert drawn(TorchSampler(build=here)).tolist() == list(range(999, -1, -2))
    three = TorchSampler(build=here, arguments={"step": 3})
    assert drawn(three).tolist() == list(range(999, -1, -3))


def test_the_chance_of_torch_is_that_of_the_training():
    sampler, state = TorchSampler(build=f"{__name__}:weighted"), torch.get_rng_state()
    assert torch.equal(drawn(sampler), drawn(sampler))
    assert not torch.equal(drawn(sampler), drawn(sampler, seed=2))
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_not_declared_to_be_a_sampler_is_not_called():
    with pytest.raises(InputError, match="is not declared to build a sampler"):
        drawn(TorchSampler(build="os:getcwd"))


def test_arguments_that_it_does_not_take():
    with pytest.raises(InputError) as error:
        drawn(TorchSampler(build=f"{__name__}:Backwards", arguments={"stride": 3}))
    assert str(error.value) == (
        f"{__name__}:Backwards cannot build a sampler (TypeError: Backwards.__init__() got an "
        "unexpected keyword argument 'stride'): it is called with the labels and stride"
    )
    with pytest.raises(InputError, match=r"'drop_last'\): it is called with the labels alone"):
        drawn(TorchSampler(build="torch.utils.data:BatchSampler"))


class Astray(Sampler):
    """Draws what is not there."""

    def draw(self, labels, context, generator):
        """Draw one too many."""
        return torch.arange(len(labels) + 1)


def test_positions_outside_the_samples_name_the_sampler(squares):
    with pytest.raises(ResultFault, match=r"sampler Astray returned \(32,\) torch.int64: .*0…30"):
        CrossEntropy(**QUICK, sampler=Astray()).learn(squares)
