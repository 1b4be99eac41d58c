"""Networks of timm: as backbones and as encoders; nothing is downloaded."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from adc_core.errors import InputError, WorkError
from adc_core.images.sequence import ImageArray
from adc_plugins_learn.encoders.timm import TimmEncoder
from adc_plugins_learn.encoders.torchvision import penultimate
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.hardware.devices import seeded
from adc_plugins_learn.training.networks.backbones import build_backbone, last_layer
from adc_plugins_learn.training.networks.model import NetworkModel
from adc_plugins_learn.training.networks.timm import of_torch_hub

timm = pytest.importorskip("timm", reason="timm is an extra of the package")

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 70, 50, 3), dtype=np.uint8)
IMAGES = ImageArray(PIXELS)
SMALL = "test_resnet"
SMALL_VIT = "test_vit"


def built(name, classes=3, weights="random", seed=0):
    with seeded(seed):
        return build_backbone(f"timm/{name}", classes, str(weights))


def same_weights(first, second, without="fc."):
    first, second = (
        {k: v for k, v in network.state_dict().items() if not k.startswith(without)}
        for network in (first, second)
    )
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize(
    "name",
    [
        SMALL,
        SMALL_VIT,
        "test_convnext",
        "test_efficientnet",
        "test_byobnet",
        "mobilenetv3_small_050",
        "densenet121",
        "swin_tiny_patch4_window7_224",
    ],
)
def test_the_last_layer_makes_the_logits(name):
    network = built(name, 7).eval()
    assert last_layer(network).out_features == 7
    size = timm.get_pretrained_cfg(name).input_size[-1]
    with torch.inference_mode():
        images = torch.rand(1, 3, size, size)
        assert network(images).shape == (1, 7)
        assert penultimate(network, images).shape == (1, network.head_hidden_size)


def test_a_network_that_can_only_encode():
    with torch.device("meta"), pytest.raises(InputError) as error:
        built("qwen3_vit_88m_enc", 7)
    assert str(error.value) == (
        "qwen3_vit_88m_enc of timm has no layer for classes: it can encode but not learn"
    )


def test_it_trains_and_is_saved(squares, tmp_path):
    learner = CrossEntropy(backbone=f"timm/{SMALL}", image_size=32, epochs=1, batch_size=16)
    model = learner.learn(squares)
    model.save(tmp_path / "model")
    again = NetworkModel.load(tmp_path / "model")
    assert again.predict(squares.images) == model.predict(squares.images)


def test_random_weights_come_from_the_seed():
    assert same_weights(built(SMALL, seed=1), built(SMALL, seed=1))
    assert not same_weights(built(SMALL, seed=1), built(SMALL, seed=2))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("classes", [3, 1000])
def test_weights_from_a_file(tmp_path, suffix, classes):
    path, source = tmp_path / f"net{suffix}", built(SMALL, classes, seed=1)
    save = save_file if suffix == ".safetensors" else torch.save
    save(source.state_dict(), path)
    loaded = built(SMALL, 3, path)
    assert same_weights(loaded, source)
    assert last_layer(loaded).out_features == 3
    assert torch.equal(loaded.fc.weight, source.fc.weight) == (classes == 3)
    assert "state_dict" not in loaded.pretrained_cfg


def test_weights_of_another_network(tmp_path):
    path = tmp_path / "net.safetensors"
    state = built(SMALL).state_dict()
    state.pop("layer1.0.conv1.weight")
    save_file(state, path)
    with pytest.raises(InputError) as error:
        built(SMALL, 3, path)
    assert str(error.value) == (
        f"{path} does not fit the network: they differ in layer1.0.conv1.weight"
    )
    save_file(built("resnet10t").state_dict(), path)
    with pytest.raises(InputError, match=r"does not fit the network: they differ in \S+$"):
        built(SMALL, 3, path)


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("test_resnett", "random", 'timm has no model "test_resnett": did you mean "test_resnet"?'),
        ("?", "random", 'timm has no model "?": timm.list_models() names them all'),
        (
            "resnet10t.c3_in1",
            "random",
            'timm has no weights "resnet10t.c3_in1": did you mean "resnet10t.c3_in1k"?',
        ),
        (
            "resnet10t.?",
            "random",
            'timm has no weights "resnet10t.?": did you mean "resnet10t.c3_in1k"?',
        ),
        (
            "resnet10t",
            "IMAGENET1K_V1",
            'resnet10t has no weights "IMAGENET1K_V1": in timm a tag of the name says which; use '
            "weights: DEFAULT, random or a file",
        ),
        (
            "densenet264d",
            "DEFAULT",
            "timm has no weights of densenet264d: use weights: random or a file",
        ),
    ],
)
def test_names_that_timm_does_not_know(name, weights, message):
    with pytest.raises(InputError) as error:
        built(name, 3, weights)
    assert str(error.value) == message


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """An empty cache of weights, and no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def test_weights_that_cannot_be_downloaded(offline, capfd):
    with pytest.raises(WorkError) as error:
        built("resnet10t", 3, "DEFAULT")
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(
        "the weights DEFAULT of resnet10t cannot be downloaded (Cannot reach https://"
    )
    assert str(error.value).endswith("): give the path of a .safetensors or .pth file")
    assert capfd.readouterr() == ("", "")
    with pytest.raises(WorkError, match=r"cannot be downloaded"):
        TimmEncoder(model="resnet10t").encode(IMAGES)


def test_without_timm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    for build in (lambda: built(SMALL), lambda: TimmEncoder(model=SMALL).encode(IMAGES)):
        with pytest.raises(InputError) as error:
            build()
        assert str(error.value) == "networks of timm need it: pip install 'adc-plugins-learn[timm]'"


def by_hand(network, transform):
    images = torch.stack([transform(Image.fromarray(image)) for image in PIXELS])
    with torch.inference_mode():
        return network.eval()(images).numpy()


@pytest.mark.parametrize("name", [SMALL, SMALL_VIT, "resnet10t"])
def test_features_are_those_of_timm_with_its_own_preparation(name, tmp_path):
    """With the margin that is cut off, the interpolation and the normalization of each."""
    path = tmp_path / "net.safetensors"
    with seeded(4):
        network = timm.create_model(name, num_classes=0)
    save_file(network.state_dict(), path)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
    features = TimmEncoder(model=name, weights=str(path)).encode(IMAGES)
    np.testing.assert_allclose(features, by_hand(network, transform), rtol=1e-3, atol=1e-4)


def test_a_number_of_pixels_takes_the_whole_shorter_side():
    encoder = TimmEncoder(model=SMALL, weights="random", image_size=50)
    with seeded(0):
        network = timm.create_model(SMALL, num_classes=0)
    config = timm.data.resolve_model_data_config(network)
    config |= {"input_size": (3, 50, 50), "crop_pct": 1.0}
    wanted = by_hand(network, timm.data.create_transform(**config))
    np.testing.assert_allclose(encoder.encode(IMAGES), wanted, rtol=1e-3, atol=1e-4)


def test_positions_of_a_transformer_fit_another_size(tmp_path):
    path = tmp_path / "net.safetensors"
    with seeded(4):
        save_file(timm.create_model(SMALL_VIT, num_classes=0).state_dict(), path)
    for weights in ("random", str(path)):
        encoder = TimmEncoder(model=SMALL_VIT, weights=weights, image_size=64)
        assert encoder.encode(IMAGES).shape == (5, 64)


def test_dinov2():
    encoder = TimmEncoder(model="vit_small_patch14_dinov2.lvd142m", weights="random", image_size=28)
    assert encoder.encode(IMAGES).shape == (5, 384)


@pytest.mark.parametrize("size", "sblg")
@pytest.mark.parametrize(("registers", "file"), [("", ""), ("_reg", "_reg4")])
def test_names_of_torch_hub(size, registers, file):
    name = of_torch_hub(f"dinov2_vit{size}14{registers}")
    official = timm.get_pretrained_cfg(name).url
    assert official.endswith(f"/dinov2_vit{size}14/dinov2_vit{size}14{file}_pretrain.pth")
    assert of_torch_hub(name) == name
