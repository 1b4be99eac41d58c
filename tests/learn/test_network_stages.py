import pytest
import torch
from torch import nn

from adc_core import InputError
from adc_plugins_learn.training.hardware.precision import Bfloat16Autocast
from adc_plugins_learn.training.networks.stages import (
    freeze_all_but_last,
    renew_last,
    stages_of,
    unwrapped,
)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("tiny-cnn", 4),  # three blocks, the layer
        ("resnet-cifar-20", 5),  # stem with its normalization, three stages, the layer
        ("preact-resnet18", 6),  # stem, four stages, the last with a normalization, the layer
        ("resnet34-cifar", 6),
        ("resnet-9", 5),
        ("vgg11", 9),  # eight convolutions, and three layers in one child
    ],
)
def test_stages_of_networks(built, name, count):
    network = built(name, 3)
    parts = stages_of(network)
    assert len(parts) == count
    found = {id(weight) for part in parts for weight in part.parameters()}
    assert found == {id(weight) for weight in network.parameters()}
    assert sum(p.numel() for part in parts for p in part.parameters()) == sum(
        p.numel() for p in network.parameters()
    )
    last = [m for m in parts[-1].modules() if isinstance(m, nn.Linear)][-1]
    assert last.out_features == 3


def test_the_last_parts_are_renewed_and_the_others_stay(built):
    network, fresh = built("tiny-cnn", 3), built("tiny-cnn", 3, seed=1)
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    renew_last(network, 2, fresh)
    for name, value in network.state_dict().items():
        renewed = name.startswith(("features.2.", "classifier."))
        expected = fresh.state_dict()[name] if renewed else kept[name]
        assert torch.equal(value, expected), name
    assert not torch.equal(network.classifier.weight, kept["classifier.weight"])


def test_only_the_last_parts_get_gradients(built):
    network = built("tiny-cnn", 3)
    trained = freeze_all_but_last(network, 2)
    with_gradients = {name for name, p in network.named_parameters() if p.requires_grad}
    assert with_gradients == {
        "features.2.0.weight",
        "features.2.1.weight",
        "features.2.1.bias",
        "classifier.weight",
        "classifier.bias",
    }
    assert len(trained) == 5


def test_what_runs_a_network_is_not_the_network(built):
    network = built("tiny-cnn", 3)
    assert unwrapped(Bfloat16Autocast(network)) is network
    assert unwrapped(network) is network


def test_a_network_of_one_stage_has_nothing_to_hold():
    network = nn.Sequential(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
    with pytest.raises(InputError, match="Sequential is one stage: give its parts modules"):
        freeze_all_but_last(network, 1)
