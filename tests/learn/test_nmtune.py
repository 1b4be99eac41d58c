"""A learned mapping of frozen features."""

import numpy as np
import pytest
import torch
from torch import nn

from adc_plugins_learn import NMTune
from adc_plugins_learn.learners.nmtune import (
    dominant_share,
    feature_consistency,
    feature_covariance,
)
from adc_plugins_learn.training.networks.frozen import FrozenBackbone, MappedFeatures

QUICK = {"image_size": 12, "batch_size": 8, "epochs": 2, "backbone": "tiny-cnn"}


def test_the_worked_example(numbers):
    example = numbers["nmtune"]
    mapped = torch.tensor(example["mapped"], dtype=torch.float64, requires_grad=True)
    frozen = torch.tensor(example["frozen"], dtype=torch.float64)
    parts = [
        feature_consistency(mapped, frozen),
        feature_covariance(mapped),
        dominant_share(mapped),
    ]
    for name, part in zip(("consistency", "covariance", "dominant"), parts, strict=True):
        assert part.item() == pytest.approx(example[name], abs=1e-9)
    weights = example["weights"]
    added = weights[0] * parts[0] + weights[1] * parts[1] - weights[2] * parts[2]
    assert added.item() == pytest.approx(example["added"], abs=1e-9)
    added.backward()
    np.testing.assert_allclose(mapped.grad, example["gradient"], atol=1e-4)


def test_of_five_features_the_dominant_part_is_a_constant():
    features = torch.randn(9, 5, dtype=torch.float64, requires_grad=True)
    assert dominant_share(features).item() == pytest.approx(0.2)
    dominant_share(features).backward()
    assert features.grad.abs().max() < 1e-9


def test_only_the_mapping_learns_and_all_else_evaluates():
    head = MappedFeatures(6, 3)
    body = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), head)
    network = FrozenBackbone(body, head).train()
    assert network.training and head.training and not body[1].training
    found = network(torch.randn(7, 4))
    assert found.shape == (7, 3 + 12)
    assert {name for name, p in network.named_parameters() if p.requires_grad} == {
        name for name, _ in network.named_parameters() if name.startswith("network.2.")
    }
    assert network.eval()(torch.randn(7, 4)).shape == (7, 3)
    assert not head.training


def test_the_backbone_stays_and_every_option_changes_the_rest(squares, tmp_path):
    found, bodies = set(), set()
    for options in (
        {},
        {"consistency_weight": 5},
        {"covariance_weight": 1},
        {"dominance_weight": 0.5},
        {"criterion": "focal"},
    ):
        state = NMTune(**QUICK, **options).learn(squares).network.state_dict()
        parts = {True: b"", False: b""}
        for name, value in state.items():
            parts["classifier" in name] += value.numpy().tobytes()
        found.add(parts[True])
        bodies.add(parts[False])
    assert (len(found), len(bodies)) == (5, 1)
