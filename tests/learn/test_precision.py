import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.co_teaching import CoTeaching
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.learners.elr_plus import EarlyLearningRegularizationPlus
from adc_plugins_learn.training.hardware.precision import Bfloat16Autocast

OPTIONS = {"image_size": 12, "epochs": 3, "batch_size": 8}


def probabilities(model, dataset):
    return model.predict(dataset.images).probabilities


def test_logits_are_single_precision_and_little_off():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 5))
    images = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    low = Bfloat16Autocast(network)(images)
    assert low.dtype == torch.float32
    difference = (low - network(images)).abs().max()
    assert 0 < difference < 0.05


@pytest.mark.parametrize("learner", [CrossEntropy, CoTeaching, EarlyLearningRegularizationPlus])
def test_bfloat16_learns_nearly_the_same(squares, learner):
    full = learner(**OPTIONS).learn(squares)
    low = learner(**OPTIONS, precision="bfloat16").learn(squares)
    difference = np.abs(probabilities(full, squares) - probabilities(low, squares))
    assert difference.max() > 0
    assert difference.mean() < 0.05
    assert {value.dtype for value in low.network.parameters()} == {torch.float32}
    assert list(low.network.state_dict()) == list(full.network.state_dict())


def test_channels_last_changes_next_to_nothing(squares):
    plain = CrossEntropy(**OPTIONS).learn(squares)
    other = CrossEntropy(**OPTIONS, channels_last=True).learn(squares)
    np.testing.assert_allclose(
        probabilities(other, squares), probabilities(plain, squares), atol=1e-3
    )
    assert other.history[-1].loss == pytest.approx(plain.history[-1].loss, abs=1e-3)
