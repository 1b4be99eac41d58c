"""Images compared with class names and titles, by small CLIP models made here."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from adc_core import Dataset, ImageArray, InputError
from adc_plugins_learn import ImageText, OpenClipEncoder, TransformersEncoder, class_directions
from adc_plugins_learn.enrichers.image_text import caption_similarity, class_similarity, zero_shot
from adc_plugins_learn.training.hardware.devices import seeded

open_clip = pytest.importorskip("open_clip", reason="open_clip is an extra of the package")
transformers = pytest.importorskip("transformers", reason="transformers is an extra")

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 3), dtype=np.uint8)
TITLES = ["red square", None, "blue sweater at home", " ", "red square"]
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 48, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {
        "context_length": 16,
        "vocab_size": 49408,
        "width": 16,
        "heads": 2,
        "layers": 1,
    },
}


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Nothing that open_clip has is small enough for a quick test."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", TINY)


@pytest.fixture
def dataset():
    return Dataset(
        labels=[0, 1, 1, 0, 1],
        classes=("square", "sweater"),
        images=ImageArray(PIXELS),
        sources=pa.table({"title": pa.array(TITLES, pa.string())}),
    )


@pytest.fixture
def clip(tmp_path):
    """An encoder of saved weights, and the model by hand."""
    with seeded(7):
        model, _, prepare = open_clip.create_model_and_transforms("tiny")
    path = tmp_path / "clip.safetensors"
    save_file(model.state_dict(), path)
    return OpenClipEncoder(model="tiny", weights=str(path)), model.eval(), prepare


def texts_by_hand(model, texts):
    with torch.inference_mode():
        found = model.encode_text(open_clip.get_tokenizer("tiny")(texts))
    return torch.nn.functional.normalize(found, dim=1).numpy()


def test_what_a_clip_model_says(dataset, clip):
    encoder, model, _ = clip
    enriched = ImageText(encoder=encoder, text_features=True).enrich(dataset)
    images = encoder.encode(dataset.images)
    images = images / np.linalg.norm(images, axis=1, keepdims=True)
    classes = texts_by_hand(model, ["a photo of a square.", "a photo of a sweater."])
    expected = images @ classes.T
    np.testing.assert_allclose(enriched.columns["class_similarity"], expected, atol=1e-5)
    scale = float(model.logit_scale.detach().exp())
    assert scale == pytest.approx(1 / 0.07, rel=1e-4)
    np.testing.assert_allclose(enriched.probabilities.values, zero_shot(expected, scale), atol=1e-4)
    assert enriched.probabilities.origin == "out of sample"
    titles = texts_by_hand(model, ["red square", "blue sweater at home"])
    fit = enriched.columns["caption_similarity"]
    np.testing.assert_allclose(fit[[0, 2]], (images[[0, 2]] * titles).sum(axis=1), atol=1e-5)
    assert np.isnan(fit).tolist() == [False, True, False, True, False]
    np.testing.assert_allclose(enriched.columns["text_features"][[0, 2]], titles, atol=1e-5)
    assert not enriched.columns["text_features"][[1, 3]].any()
    np.testing.assert_allclose(
        enriched.columns["caption_class_similarity"][2], titles[1] @ classes.T, atol=1e-5
    )


def test_templates_are_averaged_and_definitions_take_the_place_of_names(dataset, clip):
    encoder, model, _ = clip
    found = ImageText(
        encoder=encoder,
        templates=("a {}.", "the {}"),
        definitions={"square": "shape with four corners"},
    ).enrich(dataset)
    square = texts_by_hand(model, ["a shape with four corners.", "the shape with four corners"])
    sweater = texts_by_hand(model, ["a sweater.", "the sweater"])
    images = encoder.encode(dataset.images)
    expected = class_similarity(images, class_directions(np.stack([square, sweater])))
    np.testing.assert_allclose(found.columns["class_similarity"], expected, atol=1e-5)
    with pytest.raises(InputError, match="'hat' is no class"):
        ImageText(encoder=encoder, definitions={"hat": "x"}).enrich(dataset)


def test_the_same_encoders_features_can_be_taken(dataset, clip):
    encoder, *_ = clip
    features = encoder.encode(dataset.images)
    expected = ImageText(encoder=encoder).enrich(dataset)
    blind = dataset.replace(images=None, features=features)
    found = ImageText(encoder=encoder, reuse_features=True).enrich(blind)
    assert found.probabilities == expected.probabilities
    with pytest.raises(InputError, match="another model's"):
        other = blind.replace(features=features[:, :8])
        ImageText(encoder=encoder, reuse_features=True).enrich(other)
    with pytest.raises(InputError, match="name the encoder before"):
        ImageText(encoder=encoder, reuse_features=True).enrich(dataset)


def test_without_titles_and_without_probabilities(dataset, clip):
    encoder, *_ = clip
    untitled = dataset.replace(sources=None)
    found = ImageText(encoder=encoder, probabilities=False).enrich(untitled)
    assert found.probabilities is None and set(found.columns) == {
        "class_similarity",
        "caption_similarity",
    }
    assert np.isnan(found.columns["caption_similarity"]).all()
    with pytest.raises(InputError, match="no sample of the dataset has a title"):
        ImageText(encoder=encoder, text_features=True).enrich(untitled)


def test_encoders_without_a_half_for_texts_are_refused():
    with pytest.raises(ValidationError, match="pixels has no half for texts"):
        ImageText(encoder={"use": "pixels"})
    with pytest.raises(ValidationError, match="must have one"):
        ImageText(templates=("a photo",))


def test_a_pipeline_hands_the_columns_on(dataset, clip, tmp_path):
    from adc_core import Pipeline, read_run, run_pipeline

    encoder, *_ = clip
    pipeline = Pipeline(
        dataset=dataset,
        enrichers=[{"use": "image-text", "encoder": encoder, "text_features": True}],
        detectors=[{"use": "caption-similarity", "flag_rate": 0.4}, {"use": "predicted-differs"}],
    )
    run_pipeline(pipeline, tmp_path / "run")
    run = read_run(tmp_path / "run")
    assert run.findings["caption-similarity"].covered.sum() == 3
    assert run.collected.columns["text_features"].shape == (5, 16)


@pytest.fixture
def saved_clip(tmp_path):
    """A folder with a CLIP model of transformers, its image processor and a tokenizer."""
    config = transformers.CLIPConfig(
        text_config={
            "vocab_size": 40,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 12,
            "bos_token_id": 0,
            "eos_token_id": 1,
            "pad_token_id": 1,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 16,
        },
        projection_dim=8,
    )
    with seeded(3):
        transformers.CLIPModel(config).save_pretrained(tmp_path / "clip")
    transformers.CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(tmp_path / "clip")
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["<|startoftext|>", "<|endoftext|>", *(f"{one}</w>" for one in letters[:12]), *letters]
    vocabulary = {word: number for number, word in enumerate(words)}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    transformers.CLIPTokenizer(
        str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"), model_max_length=12
    ).save_pretrained(tmp_path / "clip")
    return tmp_path / "clip"


def test_models_of_transformers(dataset, saved_clip):
    encoder = TransformersEncoder(model=saved_clip)
    found = ImageText(encoder=encoder, templates=("{}",)).enrich(dataset)
    model = transformers.AutoModel.from_pretrained(saved_clip).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(saved_clip)
    made = tokenizer(
        ["square", "sweater"], padding="max_length", max_length=12, return_tensors="pt"
    )
    with torch.inference_mode():
        texts = model.get_text_features(input_ids=made["input_ids"])
    texts = texts if isinstance(texts, torch.Tensor) else texts.pooler_output
    texts = torch.nn.functional.normalize(texts, dim=1).numpy()
    images = encoder.encode(dataset.images)
    images = images / np.linalg.norm(images, axis=1, keepdims=True)
    np.testing.assert_allclose(found.columns["class_similarity"], images @ texts.T, atol=1e-5)
    # A title longer than the model reads is cut.
    long = dataset.replace(sources=pa.table({"title": ["a" * 500] * 5}))
    assert np.isfinite(ImageText(encoder=encoder).enrich(long).columns["caption_similarity"]).all()


def test_a_model_of_images_alone_has_no_half_for_texts(dataset, tmp_path):
    with pytest.raises(InputError, match="with random weights has no tokenizer"):
        encoder = TransformersEncoder(model="mobilenet_v2", weights="random", image_size=32)
        ImageText(encoder=encoder).enrich(dataset)


IMAGES = [
    [1.79, 0.44, 0.1, -1.86, -0.28],
    [-0.35, -0.08, -0.63, -0.04, -0.48],
    [-1.31, 0.88, 0.88, 1.71, 0.05],
    [-0.4, -0.55, -1.55, 0.98, -1.1],
    [-1.19, -0.21, 1.49, 0.24, -1.02],
    [-0.71, 0.63, -0.16, -0.77, -0.23],
]
PROMPTS = [
    [[1.05, 1.33, -0.2, 1.77, -0.67], [0.15, 0.15, -1.06, 0.44, 1.94]],
    [[-1.02, 0.9, -0.15, 1.77, 0.48], [0.68, 0.64, 0.25, -1.4, 1.39]],
    [[-1.37, 0.24, 0.61, -0.84, 0.15], [1.17, -0.02, -0.89, -2.92, -0.97]],
]


def test_the_reference_numbers():
    found = class_similarity(IMAGES, class_directions(PROMPTS))
    first = [-0.20292107826445718, -0.14685829020514246, 0.4815969944664453]
    last = [-0.394602463225487, 0.1601549751692249, 0.8125625739985681]
    np.testing.assert_allclose(found[[0, 5]], [first, last], atol=1e-6)
    chances = zero_shot(np.array([first, last]), 10)
    np.testing.assert_allclose(chances[0], [0.0010614643, 0.0018594435, 0.9970790922], atol=1e-7)
    captions = np.array([[0.1631, 0.7743, -0.5174, -0.109, -0.3069], [0.0] * 5])
    fit = caption_similarity(IMAGES[:2], captions, [True, False])
    np.testing.assert_allclose(fit, [0.3299642026990637, np.nan])
