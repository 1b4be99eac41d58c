import sys

import pytest
import torch
from safetensors.torch import save_file

from adc_core.errors import InputError
from adc_plugins_learn.training.networks.backbones import build_backbone, last_layer

NETWORKS = """
from torch import nn

def two_layers(outputs: int) -> nn.Module:
    pool = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), pool, nn.Flatten(), nn.Linear(4, outputs))

class Convolutions(nn.Sequential):
    def __init__(self, outputs):
        super().__init__(nn.Conv2d(3, outputs, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

def specific(outputs) -> "nn.Sequential":
    return two_layers(outputs)

called = []

def undeclared(outputs):
    called.append(outputs)

def something_else(outputs: int) -> str:
    called.append(outputs)

def always_ten(outputs: int) -> nn.Module:
    return two_layers(10)

def without_layers(outputs: int) -> nn.Module:
    return nn.Flatten()

def no_network(outputs: int) -> nn.Module:
    return outputs

def fails(outputs: int) -> nn.Module:
    raise KeyError("width")

def two_arguments(outputs: int, width: int) -> nn.Module:
    return two_layers(outputs)
"""


@pytest.fixture
def my_networks(tmp_path, monkeypatch):
    """A module of the user's."""
    (tmp_path / "my_networks.py").write_text(NETWORKS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_networks", None)


@pytest.mark.parametrize("name", ["two_layers", "Convolutions", "specific"])
def test_a_network_of_the_user_s(my_networks, name, built, weights_of, same):
    network = built(f"my_networks:{name}", 5)
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 5)
    assert len(last_layer(network).weight) == 5
    first, second = (weights_of(built(f"my_networks:{name}", 5, seed=seed)) for seed in (1, 2))
    assert not same(first, second)


def test_a_network_of_the_user_s_with_weights(my_networks, tmp_path, built, weights_of, same):
    path, name = tmp_path / "net.safetensors", "my_networks:two_layers"
    save_file(built(name, 5, seed=1).state_dict(), path)
    loaded = built(name, 3, str(path))
    assert same(weights_of(loaded, "3."), weights_of(built(name, 5, seed=1), "3."))
    with pytest.raises(InputError) as error:
        built(name, 5, "DEFAULT")
    assert str(error.value) == f"{name} has no official weights: use weights: random or a file"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "no_such_module:network",
            "cannot be imported (No module named 'no_such_module'): install its package, or name "
            "its folder in PYTHONPATH",
        ),
        (
            "my_networks:nothing",
            "cannot be imported (module 'my_networks' has no attribute 'nothing'): install its "
            "package, or name its folder in PYTHONPATH",
        ),
        (
            "my_networks:undeclared",
            "is not declared to build a network: annotate it with -> torch.nn.Module",
        ),
        (
            "my_networks:something_else",
            "is not declared to build a network: annotate it with -> torch.nn.Module",
        ),
        (
            "os:abort",
            "is not declared to build a network: annotate it with -> torch.nn.Module",
        ),
        (
            "my_networks:always_ten",
            "does not build a network for 3 classes: its last linear or convolution layer must "
            "make as many logits",
        ),
        (
            "my_networks:without_layers",
            "does not build a network for 3 classes: its last linear or convolution layer must "
            "make as many logits",
        ),
        (
            "my_networks:no_network",
            "does not build a network for 3 classes: its last linear or convolution layer must "
            "make as many logits",
        ),
        (
            "my_networks:fails",
            "cannot build a network for 3 classes (KeyError: 'width'): it is called with that "
            "number alone",
        ),
        (
            "my_networks:two_arguments",
            "cannot build a network for 3 classes (TypeError: two_arguments() missing 1 required "
            "positional argument: 'width'): it is called with that number alone",
        ),
    ],
)
def test_functions_that_build_no_network(my_networks, name, message):
    with pytest.raises(InputError) as error:
        build_backbone(name, 3)
    assert str(error.value) == f"{name} {message}"


def test_what_is_not_declared_to_build_a_network_is_never_called(my_networks):
    """The name may stand in a model that came from a stranger."""
    for name in ("undeclared", "something_else"):
        with pytest.raises(InputError):
            build_backbone(f"my_networks:{name}", 3)
    assert sys.modules["my_networks"].called == []
