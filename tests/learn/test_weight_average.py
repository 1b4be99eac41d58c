import copy

import numpy as np
import pytest
import torch

from adc_plugins_learn import build_backbone
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.strategy import Strategy
from adc_plugins_learn.training.weight_average import WeightAverage


def test_it_follows_by_the_smaller_of_decay_and_ramp():
    network = torch.nn.BatchNorm1d(2)
    average = WeightAverage(network, decay=0.3)
    expected = 1.0
    for step, keep in enumerate([1 / 10, 2 / 11, 3 / 12, 0.3, 0.3]):
        with torch.no_grad():
            network.weight.fill_(step + 2)
            network.running_mean.fill_(step + 2)
            network.num_batches_tracked += 1
        average.update()
        expected = keep * expected + (1 - keep) * (step + 2)
        assert average.network.weight.tolist() == pytest.approx([expected] * 2)
    ramped_mean = average.network.running_mean.tolist()
    assert ramped_mean == pytest.approx([expected - 0.1 * 2 / 11 * 0.25 * 0.3 * 0.3] * 2)
    assert average.network.num_batches_tracked == 5
    assert not average.network.weight.requires_grad


def test_the_model_and_the_validation_are_those_of_the_average(squares, monkeypatch):
    """Recomputed by hand from the weights after every step."""
    seen = []

    def keep(self, networks):
        seen.append(copy.deepcopy(networks[0].state_dict()))

    monkeypatch.setattr(Strategy, "after_update", keep)
    learner = CrossEntropy(image_size=12, epochs=4, batch_size=8, weight_average=0.8)
    model = learner.learn(squares, squares)
    # The first weights count by 1/10 · 2/11 · …: they are those of a training of no step.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        expected = {k: v.clone() for k, v in build_backbone("small-cnn", 3).state_dict().items()}
    for step, state in enumerate(seen):
        keeps = min(0.8, (1 + step) / (10 + step))
        for name, value in state.items():
            if value.is_floating_point():
                expected[name] = keeps * expected[name] + (1 - keeps) * value
    for name, value in model.network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)
    right = np.mean(model.predict(squares.images).labels == squares.labels)
    assert model.history[-1].validation_accuracy == pytest.approx(right)
    assert not torch.equal(
        model.network.state_dict()["classifier.bias"], seen[-1]["classifier.bias"]
    )
