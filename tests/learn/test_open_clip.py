"""The image tower of a CLIP model; nothing is downloaded."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from adc_core.errors import InputError, WorkError
from adc_core.images.sequence import ImageArray
from adc_plugins_learn.encoders.open_clip import OpenClipEncoder
from adc_plugins_learn.training.hardware.devices import seeded

open_clip = pytest.importorskip("open_clip", reason="open_clip is an extra of the package")

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 70, 50, 3), dtype=np.uint8)
IMAGES = ImageArray(PIXELS)
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 48, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {
        "context_length": 8,
        "vocab_size": 50,
        "width": 32,
        "heads": 2,
        "layers": 1,
    },
}


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Nothing that open_clip has is small enough for a quick test."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", TINY)


@pytest.fixture
def source():
    with seeded(7):
        return open_clip.create_model_and_transforms("tiny")[::2]


def by_hand(model, transform):
    images = torch.stack([transform(Image.fromarray(image)) for image in PIXELS])
    with torch.inference_mode():
        return model.eval().encode_image(images).numpy()


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_features_are_those_of_open_clip_with_its_own_preparation(source, tmp_path, suffix):
    path, (model, transform) = tmp_path / f"clip{suffix}", source
    save = save_file if suffix == ".safetensors" else torch.save
    save(model.state_dict(), path)
    features = OpenClipEncoder(model="tiny", weights=str(path)).encode(IMAGES)
    assert features.shape == (3, 16)
    np.testing.assert_allclose(features, by_hand(model, transform), rtol=1e-3, atol=1e-5)


def test_random_weights_come_from_the_seed(capfd):
    encoder = OpenClipEncoder(model="tiny", weights="random")
    first, other = encoder.encode(IMAGES), encoder.model_copy(update={"seed": 1}).encode(IMAGES)
    np.testing.assert_array_equal(first, encoder.encode(IMAGES))
    assert not np.array_equal(first, other)
    assert capfd.readouterr() == ("", "")


def test_another_size(source, tmp_path):
    path = tmp_path / "clip.safetensors"
    save_file(source[0].state_dict(), path)
    encoder = OpenClipEncoder(model="tiny", weights=str(path), image_size=32)
    assert encoder.encode(IMAGES).shape == (3, 16)


def test_weights_of_another_model(source, tmp_path):
    path = tmp_path / "clip.safetensors"
    state = source[0].state_dict()
    state.pop("ln_final.bias")
    save_file(state, path)
    with pytest.raises(InputError) as error:
        OpenClipEncoder(model="tiny", weights=str(path)).encode(IMAGES)
    assert str(error.value) == f"{path} does not fit the network: they differ in ln_final.bias"


def test_files_that_hold_more_than_weights(tmp_path):
    path = tmp_path / "clip.pt"
    torch.save({"epoch": 3}, path)
    with pytest.raises(InputError) as error:
        OpenClipEncoder(model="tiny", weights=str(path)).encode(IMAGES)
    assert str(error.value) == (
        f"{path} is damaged, or holds more than tensors by name (nothing in it is executed): "
        "save the network's state_dict() again"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "ViT-B/32"}, 'there is no open_clip model "ViT-B/32": did you mean "ViT-B-32"?'),
        (
            {"weights": "opena"},
            'there is no weights of ViT-B-32 "opena": did you mean "openai"?',
        ),
    ],
)
def test_names_that_open_clip_does_not_know(options, message):
    with pytest.raises(InputError) as error:
        OpenClipEncoder(**options).encode(IMAGES)
    assert str(error.value) == message


def test_weights_that_cannot_be_downloaded(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WorkError) as error:
        OpenClipEncoder().encode(IMAGES)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(
        "the weights laion2b_s34b_b79k of ViT-B-32 cannot be downloaded (Cannot reach https://"
    )
    assert str(error.value).endswith("): give the path of a .safetensors or .pth file")
    assert capfd.readouterr() == ("", "")


def test_without_open_clip_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(InputError) as error:
        OpenClipEncoder().encode(IMAGES)
    assert str(error.value) == (
        "CLIP models of open_clip need it: pip install 'adc-plugins-learn[open-clip]'"
    )
