"""Which evidence is gathered: what is there, what was chosen, else the best that can be had."""

import importlib.util

import numpy as np
import pytest

from adc_core import Dataset
from adc_core.cli import evidence_ladder as module
from adc_core.cli.evidence_ladder import announced, choose_rung
from adc_core.components.component import Component, create
from adc_core.components.interfaces import Encoder, Enricher, Learner
from adc_core.components.registry import registry

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
LABELS = [0, 1, 2] * 2
IMAGES = Dataset(labels=LABELS, images=PIXELS)
FEATURES = np.eye(6, dtype=np.float32)
PROBABILITIES = np.full((6, 3), 1 / 3, np.float32)

PATCHES = {"use": "adc-plugins-detect/patches"}
RIDGE = {"use": "adc-plugins-detect/ridge-probe"}


def dumped(component):
    assert component is None or isinstance(component, Component)
    return None if component is None else component.model_dump(exclude_defaults=True)


def rung_of(dataset, **chosen):
    rung = choose_rung(dataset, **chosen)
    return dumped(rung.encoder), dumped(rung.predictor), rung.neighbors, rung.reason


@pytest.fixture
def no_torch(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "torch" else find(name))


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """An empty cache of weights, and no server in reach; which are asked for is noted."""
    asked = []

    def refuse(download):
        asked.append(download)
        return "download.pytorch.org cannot be reached"

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(module, "fetch", refuse)
    return asked


def test_features_that_are_there_are_probed():
    given = Dataset(labels=LABELS, features=FEATURES)
    assert rung_of(given) == (None, RIDGE, True, "")
    with_images = IMAGES.replace(features=FEATURES)
    assert rung_of(with_images) == (None, RIDGE, True, "")
    assert rung_of(with_images, fast=True) == (None, RIDGE, True, "")


def test_probabilities_that_are_there_are_not_made_again():
    given = Dataset(labels=LABELS, probabilities=PROBABILITIES)
    assert rung_of(given) == (None, None, False, "")
    assert rung_of(given.replace(features=FEATURES)) == (None, None, True, "")
    assert rung_of(given.replace(images=IMAGES.images)) == (None, None, False, "")


def test_labels_alone_get_nothing():
    assert rung_of(Dataset(labels=LABELS)) == (None, None, False, "")


def test_a_chosen_encoder_is_probed():
    patches = create(Encoder, {"use": "patches", "filters": 20})
    wanted = {**PATCHES, "filters": 20}
    assert rung_of(IMAGES, encoder=patches) == (wanted, RIDGE, True, "")
    given = IMAGES.replace(features=FEATURES)
    assert rung_of(given, encoder=patches) == (wanted, RIDGE, True, "")


def test_a_chosen_learner_is_trained_by_cross_validation_with_its_dynamics():
    learner = create(Learner, {"use": "cross-entropy", "epochs": 3})
    encoder, predictor, neighbors, reason = rung_of(IMAGES, learner=learner)
    assert (encoder, neighbors, reason) == (None, False, "")
    assert predictor["use"] == "adc-plugins-learn/cross-validation"
    assert predictor["dynamics"] is True
    assert predictor["learner"]["epochs"] == 3


def test_a_chosen_enricher_is_taken_even_where_there_are_probabilities():
    linear = create(Enricher, {"use": "linear-probe"})
    given = Dataset(labels=LABELS, features=FEATURES, probabilities=PROBABILITIES)
    wanted = {"use": "adc-plugins-detect/linear-probe"}
    assert rung_of(given, enricher=linear) == (None, wanted, True, "")
    assert rung_of(IMAGES, enricher=linear, fast=True) == (PATCHES, wanted, False, "")


def test_fast_is_patches_alone(no_network):
    assert rung_of(IMAGES, fast=True) == (PATCHES, RIDGE, True, "fast: image patches alone")
    assert no_network == []


def test_without_torch_patches_alone(no_torch, no_network):
    assert rung_of(IMAGES) == (
        PATCHES,
        RIDGE,
        True,
        "no pretrained networks without adc-plugins-learn: image patches alone",
    )
    assert no_network == []


def test_without_the_package_that_trains_patches_alone(monkeypatch, no_network):
    entries = type(registry).entries

    def without(self, kind):
        return [one for one in entries(self, kind) if one.package != "adc-plugins-learn"]

    monkeypatch.setattr(type(registry), "entries", without)
    reason = "no pretrained networks without adc-plugins-learn: image patches alone"
    assert rung_of(IMAGES) == (PATCHES, RIDGE, True, reason)
    assert no_network == []


def test_weights_that_are_here_are_taken_before_any_is_fetched(no_network, tmp_path):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    last = create(Encoder, module.PRETRAINED[-1])
    place = last.missing_weights().path
    assert place.is_relative_to(tmp_path)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"not read yet")
    encoder, predictor, neighbors, reason = rung_of(IMAGES)
    assert encoder == {"use": "adc-plugins-learn/torchvision", "model": "resnet18"}
    assert predictor == {
        "use": "adc-plugins-detect/model-averaging",
        "members": (RIDGE, {**RIDGE, "encoder": PATCHES}),
    }
    assert (neighbors, reason) == (
        True, "features of resnet18, pretrained, and of image patches",
    )  # fmt: skip
    assert no_network == []


def test_the_first_is_fetched_where_none_is_here(monkeypatch, tmp_path, capsys):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    asked = []
    monkeypatch.setattr(module, "fetch", asked.append)  # which says nothing: it worked
    encoder, *_, reason = rung_of(IMAGES)
    assert encoder == {"use": "adc-plugins-learn/torchvision", "model": "efficientnet_b0"}
    assert reason == "features of efficientnet_b0, pretrained, and of image patches"
    (download,) = asked
    assert download.url.startswith("https://download.pytorch.org/models/efficientnet_b0")
    assert download.path.parent == tmp_path / "hub" / "checkpoints"
    said = capsys.readouterr().err
    assert said == f"adc: fetched {download.path.name}, 20 MB\n"


def test_three_small_networks_where_none_can_be_fetched(no_network):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    encoder, predictor, neighbors, reason = rung_of(IMAGES)
    assert (encoder, neighbors) == (PATCHES, True)
    assert reason == (
        "no pretrained weights here, and they cannot be fetched (download.pytorch.org cannot be "
        "reached): three small networks are trained, beside image patches"
    )
    assert len(no_network) == 1  # one file is asked for, and no other in its place
    ridge, training = predictor["members"]
    assert ridge == RIDGE
    assert (training["use"], training["folds"], training["dynamics"]) == (
        "adc-plugins-learn/cross-validation", 3, True,
    )  # fmt: skip
    assert training["learner"]["backbone"] == "tiny-cnn"


@pytest.mark.parametrize(("rows", "epochs"), [(6, 15), (60_000, 5), (300_000, 2)])
def test_many_images_are_trained_on_for_fewer_epochs(rows, epochs, no_network):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    many = Dataset(
        labels=np.resize(LABELS, rows), images=np.lib.stride_tricks.as_strided(
            PIXELS[:1], (rows, 8, 8, 3), (0, *PIXELS.strides[1:]), writeable=False
        ),
    )  # fmt: skip
    rung = choose_rung(many)
    assert rung.predictor.members[1].learner.epochs == epochs
    assert rung.neighbors == (rows <= 20_000)


class Slow(Enricher):
    """Knows how long it takes."""

    provides = ("probabilities",)
    seconds: float

    def expected_seconds(self, dataset):
        return self.seconds

    def enrich(self, dataset):
        raise AssertionError("never reached")


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (4.9, "so"),
        (5, "so, about 5 seconds"),
        (12, "so, about 10 seconds"),
        (89, "so, about 90 seconds; --fast takes seconds"),
        (400, "so, about 7 minutes; --fast takes seconds"),
        (9000, "so, about 2.5 hours; --fast takes seconds"),
    ],
)
def test_what_takes_long_is_announced(seconds, line):
    rung = module.Rung(None, Slow(seconds=seconds), True, "so")
    assert list(announced(rung, IMAGES)) == [line]
    assert list(announced(module.Rung(None, Slow(seconds=seconds), True), IMAGES)) == []
