"""Networks of transformers, as that library itself uses them; nothing is downloaded."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from adc_core.errors import InputError, WorkError
from adc_core.images.sequence import ImageArray
from adc_core.runs.pipeline import Pipeline
from adc_plugins_learn.encoders.transformers import TransformersEncoder
from adc_plugins_learn.training.hardware.devices import seeded

transformers = pytest.importorskip("transformers", reason="transformers is an extra of the package")

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 70, 50, 3), dtype=np.uint8)
IMAGES = ImageArray(PIXELS)
TOWER = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
TEXTS = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 99,
    "bos_token_id": 0,
    "eos_token_id": 1,
}


def clip(folder):
    config = transformers.CLIPConfig(
        vision_config=TOWER | {"projection_dim": 16},
        text_config=TEXTS | {"projection_dim": 16},
        projection_dim=16,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    transformers.CLIPImageProcessor(
        size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)


def siglip(folder):
    """Images are squeezed to the square, and its own mean and deviation are 0.5."""
    config = transformers.SiglipConfig(vision_config=TOWER, text_config=TEXTS)
    transformers.SiglipModel(config).save_pretrained(folder)
    transformers.SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


def dinov2(folder):
    config = transformers.Dinov2Config(**TOWER)
    transformers.Dinov2Model(config).save_pretrained(folder)
    transformers.BitImageProcessor(
        size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)


@pytest.fixture(params=[clip, siglip, dinov2], ids=lambda make: make.__name__)
def folder(request, tmp_path):
    with seeded(7):
        request.param(tmp_path)
    return tmp_path


def test_features_are_those_of_transformers_with_its_own_preparation(folder, capfd):
    features = TransformersEncoder(model=folder).encode(IMAGES)
    assert capfd.readouterr() == ("", "")
    model = transformers.AutoModel.from_pretrained(folder).eval()
    prepare = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    inputs = prepare([Image.fromarray(image) for image in PIXELS], return_tensors="pt")
    with torch.inference_mode():
        if hasattr(model, "get_image_features"):
            expected = model.get_image_features(**inputs).pooler_output
        else:
            expected = model(**inputs).pooler_output
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


def test_another_size(tmp_path):
    dinov2(tmp_path)
    small = TransformersEncoder(model=tmp_path, image_size=16).encode(IMAGES)
    assert small.shape == (3, 32)
    clip(tmp_path / "clip")
    with pytest.raises(InputError) as error:
        TransformersEncoder(model=tmp_path / "clip", image_size=48).encode(IMAGES)
    assert str(error.value) == (
        f"{tmp_path / 'clip'} does not take images of 48 × 48 pixels (Input image size (48*48) "
        "doesn't match model (32*32)): change image_size"
    )


def test_random_weights_come_from_the_seed():
    encoder = TransformersEncoder(model="mobilenet_v2", weights="random", image_size=32)
    first, other = encoder.encode(IMAGES), encoder.model_copy(update={"seed": 1}).encode(IMAGES)
    np.testing.assert_array_equal(first, encoder.encode(IMAGES))
    assert not np.array_equal(first, other)


def test_a_folder_is_relative_to_the_pipeline_file(tmp_path):
    (tmp_path / "pipeline.yaml").write_text(
        "dataset: images\nencoder: {use: transformers, model: ./model}\n"
        "detectors: [{use: simifeat}]\n"
    )
    assert Pipeline.read(tmp_path / "pipeline.yaml").encoder.model == tmp_path / "model"
    assert TransformersEncoder(model="openai/clip-vit-base-patch32").model.startswith("openai/")


def test_what_cannot_be_opened(tmp_path, monkeypatch):
    with pytest.raises(InputError) as error:
        TransformersEncoder(model=tmp_path).encode(IMAGES)
    assert str(error.value) == (
        f"{tmp_path} holds no model that transformers reads (Unrecognized model in {tmp_path}. "
        "Should have a `model_type` key in its config.json): save the model and its image "
        "processor there"
    )
    with pytest.raises(InputError) as error:
        TransformersEncoder(model="clipp", weights="random").encode(IMAGES)
    assert str(error.value) == (
        'transformers has no model type "clipp": with random weights give one, such as dinov2'
    )
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WorkError) as error:
        TransformersEncoder().encode(IMAGES)
    assert str(error.value).startswith("openai/clip-vit-base-patch32 cannot be downloaded (")
    assert str(error.value).endswith("): give the folder of a saved model, such as ./model")
    assert "\n" not in str(error.value)


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError) as error:
        TransformersEncoder().encode(IMAGES)
    assert str(error.value) == (
        "models of transformers need it: pip install 'adc-plugins-learn[transformers]'"
    )
