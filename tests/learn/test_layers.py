"""Which layers learn, and how fast."""

import numpy as np
import pytest
import torch
from torch import nn

from adc_plugins_learn import CoTeaching, CrossEntropy, NegativeLabelSmoothing
from adc_plugins_learn.training.networks.backbones import last_layer
from adc_plugins_learn.training.networks.layers import frozen_but_for, layers_of, with_rates

QUICK = {"epochs": 2, "image_size": 8, "batch_size": 8, "backbone": "tiny-cnn"}


def state_of(model):
    return {name: value.clone() for name, value in model.network.state_dict().items()}


def test_layers_come_from_the_first_to_the_last(built):
    network = built("tiny-cnn", 3)
    layers = layers_of(network)
    assert len(layers) == 7  # three convolutions and their normalizations, and the last one
    assert layers[0][0] is network.features[0][0].weight
    assert layers[-1][0] is network.classifier.weight


def test_shared_parameters_count_once():
    first = nn.Linear(2, 2)
    second = nn.Linear(2, 2)
    second.weight = first.weight
    layers = layers_of(nn.Sequential(first, second))
    assert [len(layer) for layer in layers] == [2, 1]


def test_rates_rise_in_geometric_steps(built):
    groups = with_rates([built("tiny-cnn", 3), built("tiny-cnn", 3, seed=1)], 0.01)
    factors = [group["rate_factor"] for group in groups]
    assert factors[0] == pytest.approx(0.01)
    assert factors[-1] == 1
    np.testing.assert_allclose(np.diff(np.log(factors)), np.log(100) / 6)
    assert len(groups[0]["params"]) == 2, "those of both networks"


def test_the_first_layer_moves_less_than_the_last(squares):
    same = CrossEntropy(**QUICK, weight_decay=0).learn(squares)
    start = CrossEntropy(**QUICK, weight_decay=0, learning_rate=1e-9).learn(squares)
    rising = CrossEntropy(**QUICK, weight_decay=0, first_layer_rate=1e-4).learn(squares)
    first, last = "features.0.0.weight", "classifier.weight"

    def moved(model, name):
        return float((state_of(model)[name] - state_of(start)[name]).norm())

    assert moved(rising, first) < 0.01 * moved(same, first)
    assert moved(rising, last) > 0.3 * moved(same, last)


def test_rates_go_with_biases_that_do_not_decay(squares):
    options = {"first_layer_rate": 0.1, "decay_biases": False}
    model = CrossEntropy(**QUICK, **options).learn(squares)
    assert model.history[-1].loss < 1.2


def test_a_method_with_a_rate_of_its_own_keeps_the_factors(squares):
    slow = {"first_layer_rate": 1e-4, "warm_up": 0, "weight_decay": 0}
    model = NegativeLabelSmoothing(**QUICK, **slow).learn(squares)
    start = NegativeLabelSmoothing(**QUICK, **slow, learning_rate=1e-9).learn(squares)
    name = "features.0.0.weight"
    assert (state_of(model)[name] - state_of(start)[name]).abs().max() < 1e-4


def test_a_linear_probe_moves_the_last_layer_alone(squares):
    start = CrossEntropy(**QUICK, learning_rate=1e-9, weight_decay=0, freeze_backbone=1)
    before, after = (
        state_of(learner.learn(squares))
        for learner in (start, CrossEntropy(**QUICK, freeze_backbone=1))
    )
    changed = {name for name in before if not torch.allclose(before[name], after[name], atol=1e-7)}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_after_its_part_of_the_epochs_all_layers_learn(squares):
    half = CrossEntropy(**QUICK, freeze_backbone=0.5).learn(squares)
    probe = CrossEntropy(**QUICK, freeze_backbone=1).learn(squares)
    name = "features.0.0.weight"
    assert not torch.equal(state_of(half)[name], state_of(probe)[name])


def test_both_networks_of_a_pair_are_frozen(squares):
    model = CoTeaching(**QUICK, freeze_backbone=1).learn(squares)
    start = CoTeaching(**QUICK, freeze_backbone=1, learning_rate=1e-9).learn(squares)
    for name in ("members.0.features.0.0.weight", "members.1.features.0.1.running_mean"):
        torch.testing.assert_close(state_of(model)[name], state_of(start)[name])


def test_afterwards_nothing_is_held(built):
    network = built("tiny-cnn", 3).train()
    with frozen_but_for(network, last_layer(network)):
        network.train()
        network(torch.rand(4, 3, 8, 8)).sum().backward()
        assert network.features[0][0].weight.grad is None
        assert not network.features[0][1].training
    assert all(p.requires_grad for p in network.parameters())
    network.train()
    network(torch.rand(4, 3, 8, 8))
    assert network.features[0][1].training
