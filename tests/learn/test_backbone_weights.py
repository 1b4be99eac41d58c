import os
import re
import warnings

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from adc_core.errors import InputError, WorkError
from adc_plugins_learn.training.hardware.devices import seeded
from adc_plugins_learn.training.networks.backbones import SmallCNN, build_backbone


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
def test_weights_from_a_file(tmp_path, suffix, built, weights_of, same):
    path, source = tmp_path / f"net{suffix}", built("resnet18", 4, seed=1)
    save = save_file if suffix == ".safetensors" else torch.save
    save(source.state_dict(), path)
    loaded = built("resnet18", 4, str(path))
    assert same(weights_of(loaded), weights_of(source))


def test_a_last_layer_of_another_size_is_drawn_anew(tmp_path, built, weights_of, same):
    path, source = tmp_path / "net.safetensors", built("squeezenet1_0", 1000, seed=1)
    save_file(source.state_dict(), path)
    loaded = built("squeezenet1_0", 3, str(path))
    head = "classifier.1."
    assert same(weights_of(loaded, without=head), weights_of(source, without=head))
    assert torch.equal(loaded.classifier[1].weight, built("squeezenet1_0", 3).classifier[1].weight)


def test_what_a_network_has_not_is_left_out(tmp_path, built, weights_of, same):
    path, source = tmp_path / "net.safetensors", built("small-cnn", 3, seed=1)
    save_file({**source.state_dict(), "projector.weight": torch.ones(2)}, path)
    assert same(weights_of(built("small-cnn", 3, str(path))), weights_of(source))


def test_mnasnet_which_asks_for_its_version(tmp_path, built, weights_of, same):
    path, source = tmp_path / "net.safetensors", built("mnasnet0_5", 3, seed=1)
    save_file(source.state_dict(), path)
    assert same(weights_of(built("mnasnet0_5", 3, str(path))), weights_of(source))


def test_names_of_old_densenet_files(tmp_path, built, weights_of, same):
    path, source = tmp_path / "net.pth", built("densenet121", 3, seed=1)
    old = {
        re.sub(r"(denselayer\d+)\.(norm|conv)(\d)\.", r"\1.\2.\3.", name): value
        for name, value in source.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, path)
    assert same(weights_of(built("densenet121", 3, str(path))), weights_of(source))


def test_names_of_old_vision_transformer_files(tmp_path, built, weights_of, same):
    path, source = tmp_path / "net.safetensors", built("vit_b_32", 3, seed=1)
    old = {
        name.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): value
        for name, value in source.state_dict().items()
    }
    assert "encoder.layers.encoder_layer_0.mlp.linear_2.bias" in old
    save_file(old, path)
    assert same(weights_of(built("vit_b_32", 3, str(path))), weights_of(source))


def test_googlenet_takes_the_normalization_of_all_others(tmp_path, built):
    """Its official weights expect images in -1 … 1; torchvision's switch makes them so."""
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
def test_a_damaged_file(tmp_path, suffix, content, built):
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


def test_weights_of_another_network(tmp_path, built):
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


def test_official_weights_that_lie_there_are_taken(cache, built, weights_of, same):
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
        "the weights DEFAULT of resnet18 are damaged, as downloaded or in "
        f"{cache}: remove them there and run again"
    )
