import os
import re
import sys
import warnings

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from adc_core.errors import InputError, WorkError
from adc_plugins_learn.training.backbones import (
    SmallCNN,
    build_backbone,
    last_layer,
    require_image_size,
    torchvision_models,
)
from adc_plugins_learn.training.devices import seeded


def built(name, classes, weights="random", seed=0):
    with seeded(seed):
        return build_backbone(name, classes, weights)


def weights_of(network, without=""):
    """Everything but the layers of this prefix."""
    return {
        name: value
        for name, value in network.state_dict().items()
        if not (without and name.startswith(without))
    }


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def outputs(layer):
    return layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels


@pytest.mark.parametrize("size", [8, 16, 33, 64])
def test_small_cnn_takes_pictures_of_any_size(size):
    network = SmallCNN(5, width=4)
    assert network(torch.zeros(2, 3, size, size)).shape == (2, 5)
    assert [m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)] == [4, 8, 16]


def test_the_last_layer_of_every_torchvision_model_makes_the_logits():
    # RegNets read numbers of their weights while they are built, which have none here.
    names = [name for name in torchvision_models() if not name.startswith("regnet")]
    assert len(names) >= 60
    with torch.device("meta"):
        wrong = [name for name in names if outputs(last_layer(build_backbone(name, 7))) != 7]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("small-cnn", 8),
        ("resnet18", 32),
        ("mobilenet_v2", 32),
        ("squeezenet1_0", 32),
        ("densenet121", 32),
        ("googlenet", 32),
        ("inception_v3", 96),
        ("vit_b_16", 224),
        ("regnet_y_400mf", 32),
    ],
)
def test_each_family_has_one_output_per_class(name, size):
    network = built(name, 7)
    require_image_size(network, name, size)
    logits = network.train()(torch.zeros(2, 3, size, size))
    assert logits.shape == (2, 7)  # no side outputs, in training either
    assert outputs(last_layer(network)) == 7


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("vit_b_16", 96, "Wrong image height! Expected 224 but got 96"),
        ("squeezenet1_0", 16, "Given input size: (512x1x1)"),
        (
            "inception_v3",
            32,
            "Calculated padded input size per channel: (1 x 1)",
        ),
    ],
)
def test_pictures_of_another_size_are_refused_in_one_line(name, size, reason):
    with pytest.raises(InputError) as error:
        require_image_size(built(name, 2), name, size)
    assert str(error.value) == (
        f"{name} does not take pictures of {size} × {size} pixels ({reason}): change image_size"
    )


def test_weights_come_from_the_seed():
    first, second, third = (weights_of(built("small-cnn", 3, seed=seed)) for seed in (1, 1, 2))
    assert same(first, second)
    assert not same(first, third)


def test_unknown_models():
    with pytest.raises(InputError) as error:
        build_backbone("resnet-18", 2)
    assert str(error.value) == 'there is no backbone "resnet-18": did you mean "resnet18"?'
    with pytest.raises(InputError) as error:
        build_backbone("?", 2)
    assert str(error.value).startswith(
        'there is no backbone "?"; there is small-cnn, resnet-cifar-20, '
    )


def test_unknown_official_weights():
    with pytest.raises(InputError) as error:
        build_backbone("resnet18", 2, "IMAGENET_V1")
    assert str(error.value) == (
        'there is no weights of resnet18 "IMAGENET_V1": did you mean "IMAGENET1K_V1"?'
    )
    with pytest.raises(InputError) as error:
        build_backbone("small-cnn", 2, "DEFAULT")
    assert str(error.value) == ("small-cnn has no official weights: use weights: random or a file")


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
def test_a_network_of_the_user_s(my_networks, name):
    network = built(f"my_networks:{name}", 5)
    assert network(torch.zeros(2, 3, 8, 8)).shape == (2, 5)
    assert outputs(last_layer(network)) == 5
    first, second = (weights_of(built(f"my_networks:{name}", 5, seed=seed)) for seed in (1, 2))
    assert not same(first, second)


def test_a_network_of_the_user_s_with_weights(my_networks, tmp_path):
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


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
def test_weights_from_a_file(tmp_path, suffix):
    path, source = tmp_path / f"net{suffix}", built("resnet18", 4, seed=1)
    save = save_file if suffix == ".safetensors" else torch.save
    save(source.state_dict(), path)
    loaded = built("resnet18", 4, str(path))
    assert same(weights_of(loaded), weights_of(source))


def test_a_last_layer_of_another_size_is_drawn_anew(tmp_path):
    path, source = tmp_path / "net.safetensors", built("squeezenet1_0", 1000, seed=1)
    save_file(source.state_dict(), path)
    loaded = built("squeezenet1_0", 3, str(path))
    head = "classifier.1."
    assert same(weights_of(loaded, without=head), weights_of(source, without=head))
    assert torch.equal(loaded.classifier[1].weight, built("squeezenet1_0", 3).classifier[1].weight)


def test_what_a_network_has_not_is_left_out(tmp_path):
    path, source = tmp_path / "net.safetensors", built("small-cnn", 3, seed=1)
    save_file({**source.state_dict(), "projector.weight": torch.ones(2)}, path)
    assert same(weights_of(built("small-cnn", 3, str(path))), weights_of(source))


def test_mnasnet_which_asks_for_its_version(tmp_path):
    path, source = tmp_path / "net.safetensors", built("mnasnet0_5", 3, seed=1)
    save_file(source.state_dict(), path)
    assert same(weights_of(built("mnasnet0_5", 3, str(path))), weights_of(source))


def test_names_of_old_densenet_files(tmp_path):
    path, source = tmp_path / "net.pth", built("densenet121", 3, seed=1)
    old = {
        re.sub(r"(denselayer\d+)\.(norm|conv)(\d)\.", r"\1.\2.\3.", name): value
        for name, value in source.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, path)
    assert same(weights_of(built("densenet121", 3, str(path))), weights_of(source))


def test_names_of_old_vision_transformer_files(tmp_path):
    path, source = tmp_path / "net.safetensors", built("vit_b_32", 3, seed=1)
    old = {
        name.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): value
        for name, value in source.state_dict().items()
    }
    assert "encoder.layers.encoder_layer_0.mlp.linear_2.bias" in old
    save_file(old, path)
    assert same(weights_of(built("vit_b_32", 3, str(path))), weights_of(source))


def test_googlenet_takes_the_normalisation_of_all_others(tmp_path):
    """Its official weights expect pictures in -1 … 1; torchvision's switch makes them so."""
    path = tmp_path / "net.safetensors"
    with seeded(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torchvision, about its slow start
        official = torchvision.models.googlenet(
            num_classes=3, aux_logits=False, transform_input=True, init_weights=True
        )
    save_file(official.state_dict(), path)
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        wanted = official.eval()(images)
        assert torch.equal(built("googlenet", 3, str(path)).eval()(images), wanted)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError) as error:
        build_backbone("small-cnn", 2, f"{tmp_path}/net.pth")
    assert str(error.value) == f"{tmp_path}/net.pth does not exist: give the path of a weights file"


def refused(path):
    with pytest.raises(InputError) as error:
        build_backbone("small-cnn", 2, str(path))
    assert str(error.value) == (
        f"{path} is damaged, or holds more than tensors by name (nothing in it is executed): "
        "save the network's state_dict() again"
    )


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("content", [b"", b"hello", b"<html><body>", "cut"], ids=repr)
def test_a_damaged_file(tmp_path, suffix, content):
    path = tmp_path / f"net{suffix}"
    if content == "cut":
        save = save_file if suffix == ".safetensors" else torch.save
        save(built("small-cnn", 2).state_dict(), path)
        content = path.read_bytes()[:-300]
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize("content", [torch.zeros(3), {"epoch": 3}, {"model": {}}], ids=repr)
def test_a_file_without_tensors_by_name(tmp_path, content):
    path = tmp_path / "net.pth"
    torch.save(content, path)
    refused(path)


class MakesAFolder:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_in_a_file_is_executed(tmp_path):
    path, made = tmp_path / "net.pth", tmp_path / "made"
    torch.save({"weight": MakesAFolder(str(made))}, path)
    refused(path)
    assert not made.exists()
    torch.load(path, weights_only=False)  # an incautious program would have made it
    assert made.exists()


def test_weights_of_another_network(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file(built("mobilenet_v2", 2).state_dict(), path)
    with pytest.raises(InputError) as error:
        build_backbone("resnet18", 2, str(path))
    assert str(error.value) == f"{path} does not fit the network: it has no conv1.weight"


def test_weights_of_another_width(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file(SmallCNN(2, width=16).state_dict(), path)
    with pytest.raises(InputError) as error:
        build_backbone("small-cnn", 2, str(path))
    assert str(error.value) == (
        f"{path} does not fit the network: features.0.0.weight is (16, 3, 3, 3), "
        "expected (32, 3, 3, 3)"
    )


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of weights, and a network that leads nowhere."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    return tmp_path / "hub" / "checkpoints"


def test_official_weights_that_cannot_be_downloaded(cache):
    with pytest.raises(WorkError) as error:
        build_backbone("resnet18", 2, "DEFAULT")
    assert re.fullmatch(
        r"the weights DEFAULT of resnet18 cannot be downloaded \(<urlopen error .+>\): "
        r"give the path of a \.safetensors or \.pth file",
        str(error.value),
    )
    assert list(cache.iterdir()) == []


def test_official_weights_that_lie_there_are_taken(cache):
    source = built("squeezenet1_1", 1000, seed=1)
    url = torchvision.models.SqueezeNet1_1_Weights.DEFAULT.url
    cache.mkdir(parents=True)
    torch.save(source.state_dict(), cache / url.rpartition("/")[2])
    assert same(weights_of(built("squeezenet1_1", 1000, "DEFAULT")), weights_of(source))


@pytest.mark.parametrize("content", [b"", b"<html>"])
def test_official_weights_that_are_damaged(cache, content):
    cache.mkdir(parents=True)
    (cache / "resnet18-f37072fd.pth").write_bytes(content)
    with pytest.raises(WorkError) as error:
        build_backbone("resnet18", 2, "DEFAULT")
    assert str(error.value) == (
        "the weights DEFAULT of resnet18 came damaged, or lie damaged in "
        f"{cache}: remove them there and run again"
    )
