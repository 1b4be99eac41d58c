import sys
from functools import partial

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from torch import nn

from adc_core.errors import InputError
from adc_plugins_learn import CoTeaching, CrossEntropy, NetworkModel
from adc_plugins_learn.training.hardware.devices import seeded
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


QUICK = {"epochs": 2, "image_size": 8, "batch_size": 8}


class Wide(nn.Module):
    """One hidden layer."""

    def __init__(self, classes: int, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(192, width), nn.ReLU())
        self.last = nn.Linear(width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.last(self.layers(images))


def test_a_class_and_its_arguments(squares, tmp_path):
    learner = CrossEntropy(**QUICK, backbone=Wide, backbone_options={"width": 7})
    assert learner.backbone == f"{__name__}:Wide"
    model = learner.learn(squares)
    assert model.network.last.in_features == 7
    model.save(tmp_path / "model")
    again = NetworkModel.load(tmp_path / "model")
    one, other = (m.predict(squares.images).probabilities for m in (model, again))
    np.testing.assert_array_equal(one, other)


def test_arguments_that_it_does_not_take():
    with pytest.raises(
        InputError, match=r"unexpected keyword argument.*called with that number and depth"
    ):
        build_backbone(f"{__name__}:Wide", 3, arguments={"depth": 2})
    with pytest.raises(InputError, match="backbone_options: tiny-cnn takes none"):
        build_backbone("tiny-cnn", 3, arguments={"width": 2})
    with pytest.raises(ValidationError, match="backbone_options: tiny-cnn takes none"):
        CrossEntropy(**QUICK, backbone="tiny-cnn", backbone_options={"width": 2})


def test_a_network_of_this_process_is_trained_as_a_copy(squares, learned):
    with seeded(5):
        network = Wide(3)
    before = network.last.weight.clone()
    learner = CrossEntropy(**QUICK, backbone=network)
    model = learner.learn(squares)
    assert torch.equal(network.last.weight, before)
    assert not torch.equal(model.network.last.weight, before)
    assert learned(learner.learn(squares)) == learned(model)
    assert learner.backbone.startswith("object:Wide-")
    assert CrossEntropy(**QUICK, backbone=network).fingerprint == learner.fingerprint
    with torch.no_grad():
        network.last.weight += 1
    assert CrossEntropy(**QUICK, backbone=network).fingerprint != learner.fingerprint


class Scaled(Wide):
    """Has a number that is neither printed nor a weight."""

    def __init__(self, classes: int, scale: float) -> None:
        super().__init__(classes)
        self.scale = scale

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.scale * super().forward(images)


def test_networks_that_differ_in_a_number_alone_are_two(squares):
    learners = []
    for scale in (1.0, 3.0):
        with seeded(5):
            learners.append(CrossEntropy(**QUICK, backbone=Scaled(3, scale)))
    assert learners[0].fingerprint != learners[1].fingerprint
    assert [learner.learn(squares).network.scale for learner in learners] == [1, 3]


def test_a_class_that_was_written_anew_counts(squares):
    learners = []
    for factor in (1, 0):
        name = type(
            "Wide", (Wide,), {"forward": lambda self, x, f=factor: f * Wide.forward(self, x)}
        )
        with seeded(5):
            learners.append(CrossEntropy(**QUICK, backbone=name(3)))
    assert not learners[1].learn(squares).logits(squares.images).any()


def test_one_network_is_not_two(squares):
    with pytest.raises(InputError, match="2 copies of one network would stay alike"):
        CoTeaching(**QUICK, backbone=Wide(3)).learn(squares)


def test_a_network_of_another_process_is_named():
    with pytest.raises(InputError, match="object:Wide-0123 was an object of another process"):
        build_backbone("object:Wide-0123", 3)


def test_what_is_defined_within_a_function_has_no_name():
    class Here(Wide):
        pass

    for nameless in (Here, lambda classes: Wide(classes), partial(Wide, width=3)):
        with pytest.raises(ValueError, match=r"no name by which it is .* as backbone_options"):
            CrossEntropy(**QUICK, backbone=nameless)


class Features(Wide):
    """Forgets its last layer."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layers(images)


class WithFeatures(Wide):
    """Returns what is below its logits, too."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.layers(images)
        return self.last(features), features


@pytest.mark.parametrize(("network", "got"), [(Features, (1, 4)), (WithFeatures, "tuple")])
def test_a_network_that_makes_no_logits_is_refused_before_it_is_trained(squares, network, got):
    with pytest.raises(InputError) as error:
        CrossEntropy(**QUICK, backbone=network).learn(squares)
    assert str(error.value) == (
        f"{__name__}:{network.__name__} makes {got} of an image: it must make a tensor of (1, 3)"
    )


def test_a_network_of_other_classes_is_refused(squares):
    with pytest.raises(InputError, match="does not build a network for 3 classes"):
        CrossEntropy(**QUICK, backbone=Wide(4)).learn(squares)


class Activated(Wide):
    """Keeps something whose name tells where it is in memory."""

    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self.activation = object()


def test_the_name_of_a_network_tells_no_address():
    names = []
    for _ in range(2):
        with seeded(5):
            names.append(CrossEntropy(**QUICK, backbone=Activated(3)).backbone)
    assert names[0] == names[1]
