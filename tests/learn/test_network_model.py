import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from adc_core.errors import InputError, WorkError
from adc_core.storage.checksums import write_checksums
from adc_plugins_learn.learners.co_teaching import CoTeaching
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.data.validation_split import validation_split
from adc_plugins_learn.training.networks import model as network_model
from adc_plugins_learn.training.networks.architecture import Architecture
from adc_plugins_learn.training.networks.backbones import build_backbone
from adc_plugins_learn.training.networks.model import NetworkModel


@pytest.fixture(scope="module")
def model(squares):
    learner = CrossEntropy(image_size=12, epochs=2, batch_size=8)
    return learner.learn(squares, squares)


@pytest.fixture
def folder(model, tmp_path):
    model.save(tmp_path / "model")
    return tmp_path / "model"


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_predictions_are_the_softmax_of_the_network(model, squares):
    predictions = model.predict(squares.images)
    mean, std = np.array(model.architecture.mean), np.array(model.architecture.std)
    images = ((squares.images.array / 255 - mean) / std).transpose(0, 3, 1, 2)
    with torch.inference_mode():
        logits = model.network(torch.from_numpy(images).float()).double()
    np.testing.assert_allclose(predictions.probabilities, logits.softmax(dim=1), atol=1e-5)
    assert predictions.classes == ("red", "green", "blue")


def test_batches_change_nothing_but_rounding(model, squares, monkeypatch):
    whole = model.predict(squares.images).probabilities
    monkeypatch.setattr(network_model, "_BATCH", 4)
    np.testing.assert_allclose(model.predict(squares.images).probabilities, whole, atol=1e-6)


def test_images_are_judged_one_by_one(model, squares):
    """In evaluation mode: what else lies in the batch does not matter."""
    whole = model.predict(squares.images).probabilities
    alone = model.predict(squares.images.take(np.array([5]))).probabilities
    np.testing.assert_allclose(alone[0], whole[5], atol=1e-6)


def test_a_temperature_divides_the_logits(model, squares):
    hot = NetworkModel(model.network, model.architecture, model.classes, temperature=4.0)
    logs = np.log(model.predict(squares.images).probabilities.astype(np.float64)) / 4
    wanted = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(hot.predict(squares.images).probabilities, wanted, atol=1e-6)


def test_a_calibrated_model_explains_the_validation_labels_best(model, squares):
    doubtful = squares.relabeled(np.where(np.arange(31) < 6, 0, squares.labels))

    def negative_log_likelihood(model):
        own = model.predict(squares.images).probabilities[np.arange(31), doubtful.labels]
        return -np.log(own.astype(np.float64)).mean()

    calibrated = model.calibrated(doubtful)
    assert model.temperature == 1
    assert negative_log_likelihood(calibrated) < negative_log_likelihood(model)
    for factor in (0.9, 1.1):
        other = NetworkModel(
            model.network,
            model.architecture,
            model.classes,
            temperature=factor * calibrated.temperature,
        )
        assert negative_log_likelihood(calibrated) < negative_log_likelihood(other)
    predicted = calibrated.predict(squares.images).labels
    np.testing.assert_array_equal(predicted, model.predict(squares.images).labels)
    assert (calibrated.history, calibrated.dynamics) == (model.history, model.dynamics)


def test_a_temperature_is_saved(model, squares, tmp_path):
    calibrated = model.calibrated(squares)
    calibrated.save(tmp_path / "model")
    again = NetworkModel.load(tmp_path / "model")
    assert again.temperature == calibrated.temperature != 1
    assert again.predict(squares.images) == calibrated.predict(squares.images)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "a calibration needs images: give a dataset that has them"),
        (
            {"classes": ("green", "red", "blue")},
            "the validation set has the classes green, red, blue, the model red, green, blue: "
            "give both the same",
        ),
    ],
)
def test_validation_sets_that_do_not_suit(model, squares, changes, message):
    with pytest.raises(InputError) as error:
        model.calibrated(squares.replace(**changes))
    assert str(error.value) == message


def test_a_saved_model_is_read_equal_and_saved_to_the_same_bytes(model, folder, tmp_path, squares):
    again = NetworkModel.load(folder)
    assert again.predict(squares.images) == model.predict(squares.images)
    assert again.architecture == model.architecture
    assert again.classes == model.classes
    assert again.history == model.history
    assert again.dynamics == model.dynamics
    again.save(tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(folder)


def test_what_a_folder_holds(folder):
    assert sorted(files_of(folder)) == [
        "SHA256SUMS",
        "dynamics.correct.npy",
        "dynamics.epochs.npy",
        "dynamics.given_probability.npy",
        "dynamics.loss.npy",
        "dynamics.margin.npy",
        "model.json",
        "weights.safetensors",
    ]


def test_a_model_of_the_user_s_own_network(squares, tmp_path, monkeypatch):
    (tmp_path / "own_network.py").write_text(
        "from torch import nn\n\n\n"
        "def pooled(outputs: int) -> nn.Module:\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, outputs))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    learner = CrossEntropy(backbone="own_network:pooled", image_size=12, epochs=1)
    model = learner.learn(squares)
    model.save(tmp_path / "model")
    assert NetworkModel.load(tmp_path / "model").predict(squares.images) == model.predict(
        squares.images
    )


@pytest.mark.parametrize("name", ["mnasnet0_5", "googlenet", "squeezenet1_0"])
def test_models_of_torchvision(name, tmp_path, squares):
    architecture = Architecture(name, 32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    model = NetworkModel(build_backbone(name, 3), architecture, ("a", "b", "c"))
    model.save(tmp_path / "model")
    again = NetworkModel.load(tmp_path / "model")
    assert again.predict(squares.images) == model.predict(squares.images)
    assert again.dynamics is None


def test_reading_leaves_the_global_generator(folder):
    before = torch.get_rng_state()
    NetworkModel.load(folder)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_existing_folder_is_not_written_over(model, folder):
    before = files_of(folder)
    with pytest.raises(InputError) as error:
        model.save(folder)
    assert str(error.value) == (f"{folder} already exists: choose another folder or remove it")
    assert files_of(folder) == before


def test_half_a_model_is_never_left(model, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkError) as error:
        model.save(tmp_path / "file" / "model")
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def refused(folder, reason):
    with pytest.raises(WorkError) as error:
        NetworkModel.load(folder)
    assert str(error.value) == reason


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json", "dynamics.loss.npy"])
def test_damaged_folders(folder, name):
    path, again = folder / name, f"remove {folder} to make it again"
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:-9])
    refused(folder, f"{path} is damaged (its SHA-256 differs): {again}")
    content[-20] ^= 1
    path.write_bytes(content)
    refused(folder, f"{path} is damaged (its SHA-256 differs): {again}")
    path.unlink()
    refused(folder, f"{path} is missing: {again}")


def test_foreign_folders(tmp_path):
    refused(
        tmp_path,
        f"{tmp_path / 'SHA256SUMS'} is missing or damaged: remove {tmp_path} to make it again",
    )


def resealed(folder, **changes):
    path = folder / "model.json"
    described = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in described.items() if v is not None}))
    write_checksums(folder)


ARCHITECTURE = {"backbone": "small-cnn", "image_size": 8, "mean": [], "std": [], "output": {}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "its format is 2, not 1"),
        ({"format": None}, "'format'"),
        ({"classes": ["a", "b"]}, "weights.safetensors does not fit a small-cnn of 2 classes"),
        ({"architecture": []}, "list indices must be integers or slices, not str"),
        (
            {
                "architecture": {
                    "backbone": "resnet",
                    "image_size": 8,
                    "mean": [],
                    "std": [],
                    "output": {},
                }
            },
            'there is no backbone "resnet": did you mean "resnet50"?',
        ),
    ],
)
def test_models_of_another_version(folder, changes, reason):
    resealed(folder, **changes)
    refused(folder, f"{folder} does not hold a model of this version ({reason}): train it again")


def test_outputs_that_overflow(squares):
    network = build_backbone("small-cnn", 2)
    for parameter in network.parameters():
        parameter.data.fill_(1e30)
    architecture = Architecture("small-cnn", 12, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    model = NetworkModel(network, architecture, ("a", "b"))
    trusted = squares.replace(labels=squares.labels % 2, classes=("a", "b"))
    for use in (lambda: model.predict(squares.images), lambda: model.calibrated(trusted)):
        with pytest.raises(WorkError) as error:
            use()
        assert str(error.value) == (
            "the network's outputs overflow: train it with a lower learning_rate"
        )


def test_each_network_of_a_pair_is_judged(squares):
    options = {"epochs": 2, "image_size": 8, "batch_size": 8, "validation_fraction": 0.4}
    model = CoTeaching(**options).learn(squares)
    _, held = validation_split(squares, 0.4, 0)
    last = model.history[-1]
    each = [
        NetworkModel(one, replace(model.architecture, members=1), model.classes)
        for one in model.network.members
    ]
    right = [float((one.predict(held.images).labels == held.labels).mean()) for one in each]
    assert last.member_accuracies == pytest.approx(right)
    both = float((model.predict(held.images).labels == held.labels).mean())
    assert last.validation_accuracy == pytest.approx(both)
    assert CrossEntropy(**options).learn(squares).history[-1].member_accuracies == ()
    always = model.shifted(np.array([99.0, 0, 0]))
    assert always.accuracies(held.images, held.labels) == (
        (held.labels == 0).mean(),
        last.member_accuracies,
    )
