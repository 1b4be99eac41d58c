"""From a recipe to weights: the recipe, the series, the fit and the command around them."""

import argparse
import json
import subprocess
import sys

import numpy as np
import pytest

from adc_core import read_dataset
from adc_core.components.context import work_context, work_folder
from adc_core.components.interfaces import Learner
from adc_core.components.registry import registry
from adc_core.errors import InputError, InputErrors, WorkError
from adc_core.records.evidence import Dynamics
from adc_core.records.model import Model
from adc_plugins_detect.commands.train_lstm_dynamics import TrainLstmDynamicsCommand
from adc_plugins_detect.detectors.lstm_dynamics import SHIPPED, lstm_dynamics, resample
from adc_plugins_detect.dynamics.lstm_network import LstmNetwork, read_network, write_network
from adc_plugins_detect.lstm_training.fitting import fit, require_torch
from adc_plugins_detect.lstm_training.recipe import Recipe
from adc_plugins_detect.lstm_training.series import make_series

RECIPE = """
dataset: right.npz
simulators: [{use: symmetric, rate: 0.3}, {use: symmetric, rate: 0.2, seed: 1}]
learner: {use: curves}
length: 6
epochs: 4
learning_rate: 0.01
"""


class Remembered(Model):
    """A model that is nothing but what its training saw."""

    history = ()

    def __init__(self, dataset, dynamics):
        self.classes, self.dynamics = dataset.classes, dynamics

    def predict(self, images):
        raise NotImplementedError

    def save(self, folder):
        raise NotImplementedError

    @classmethod
    def load(cls, folder):
        raise NotImplementedError


class Curves(Learner):
    """Believes labels that agree with the features more from epoch to epoch, and doubts others."""

    requires = ("features",)
    model = Remembered
    remembers: bool = True

    def learn(self, dataset, validation=None):
        (work_folder() / "trained").write_text("")
        agrees = dataset.features.argmax(axis=1) == dataset.labels
        noise = np.random.default_rng(7).normal(0, 0.05, (len(dataset), 8))
        slope = np.where(agrees, 0.5, -0.5)[:, None] * np.linspace(0, 0.6, 8)
        given = (0.5 + slope + noise).clip(0, 1)
        dynamics = Dynamics(
            epochs=np.arange(1, 9),
            given_probability=given,
            margin=given,
            loss=1 - given,
            correct=given > 0.5,
        )
        return Remembered(dataset, dynamics if self.remembers else None)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a recipe and its dataset of 900 right labels."""
    monkeypatch.setattr(registry, "_added", {})
    registry.add("curves", Curves)
    labels = np.arange(900) % 3
    np.savez(tmp_path / "right.npz", labels=labels, features=np.eye(3, dtype=np.float32)[labels])
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def recipe_of(folder, **changes):
    return Recipe.read(folder / "recipe.yaml").model_copy(update=changes)


def series_of(folder, **changes):
    recipe = recipe_of(folder, **changes)
    return make_series(recipe, read_dataset(recipe.dataset), folder / "work")


def train(*words):
    parser = argparse.ArgumentParser()
    TrainLstmDynamicsCommand().add_arguments(parser)
    return TrainLstmDynamicsCommand().run(parser.parse_args([str(word) for word in words]))


def test_recipe(folder):
    recipe = Recipe.read(folder / "recipe.yaml")
    assert recipe.dataset == folder / "right.npz"
    assert [simulator.rate for simulator in recipe.simulators] == [0.3, 0.2]
    assert recipe.facts["dataset"] == "right.npz"
    assert str(folder) not in json.dumps(recipe.facts)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (None, ["PATH does not exist: give the path of a recipe"]),
        ("- 1", ["PATH holds no table of keys: write `key: value` lines"]),
        (
            "simulators: [}",
            ["PATH, line 1: expected the node content, but found '}'"],
        ),
        ("\x01", ["PATH: unacceptable character #x0001: special characters are not allowed"]),
        (
            "simulators: []\nlearner: {use: curves}\nlenght: 3",
            [
                "PATH: dataset: Field required",
                "PATH: simulators: Tuple should have at least 1 item after validation, not 0",
                'PATH: lenght: there is no key "lenght": did you mean "length"?',
            ],
        ),
        (
            "dataset: d\nsimulators: [symmetric, {use: symmetric, rate: 2}]\nlearner: curvs",
            [
                "PATH: simulators.1.rate: Input should be less than or equal to 1",
                'PATH: learner: adc.learners has no "curvs": did you mean "curves"?',
            ],
        ),
    ],
)
def test_recipes_with_faults(folder, text, faults):
    path = folder / "other.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as raised:
        Recipe.read(path)
    error = raised.value
    lines = error.faults if isinstance(error, InputErrors) else [str(error)]
    assert [line.replace(str(path), "PATH") for line in lines] == faults


def test_a_recipe_that_cannot_be_read(folder):
    (folder / "other.yaml").write_bytes(b"\xff")
    with pytest.raises(InputError) as raised:
        Recipe.read(folder / "other.yaml")
    assert str(raised.value) == (
        f"{folder / 'other.yaml'} cannot be read: 'utf-8' codec can't decode byte 0xff in "
        "position 0: invalid start byte"
    )


def test_series_of_every_noise(folder):
    recipe, series = recipe_of(folder), series_of(folder)
    dataset = read_dataset(recipe.dataset)
    assert series.values.shape == (1800, 6) and series.values.dtype == np.float32
    for number, simulator in enumerate(recipe.simulators):
        part = slice(900 * number, 900 * (number + 1))
        corruption = simulator.corrupt(dataset)
        np.testing.assert_array_equal(series.wrong[part], corruption.mask)
        given = Curves().learn(dataset.relabeled(corruption.labels)).dynamics.given_probability
        np.testing.assert_allclose(series.values[part], resample(given, 6), atol=1e-6)
    np.testing.assert_array_equal(series.held_out[:900], series.held_out[900:])
    assert series.held_out.sum() == 180
    trained = sorted(path.parent.name for path in (folder / "work").rglob("trained"))
    assert trained == ["1-symmetric", "2-symmetric"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"learner": Curves(remembers=False)},
            "the learner Curves records no training dynamics: choose another",
        ),
        (
            {"simulators": ()},
            "0 of 90 labels are wrong, but some must be and some must not: "
            "simulate another noise, or give more samples",
        ),
    ],
)
def test_series_that_teach_nothing(folder, changes, message):
    if changes.get("simulators") == ():
        changes = {"simulators": (recipe_of(folder).simulators[0].model_copy(update={"rate": 0}),)}
    with pytest.raises(InputError) as raised:
        series_of(folder, **changes)
    assert str(raised.value).replace("curves", "Curves") == message


def test_a_dataset_without_a_column(folder):
    np.savez(folder / "right.npz", labels=np.arange(30) % 3)
    with pytest.raises(InputError) as raised:
        series_of(folder)
    assert str(raised.value) == (
        f'curves reads "features", which {folder / "right.npz"} does not have: '
        "give a dataset that has it"
    )


@pytest.fixture(scope="module")
def rising():
    """2,000 series that rise where the label is right, and the rows held out."""
    random = np.random.default_rng(3)
    wrong = random.random(2000) < 0.3
    slope = np.where(wrong, -0.4, 0.4)[:, None] * np.linspace(0, 1, 6)
    values = (0.5 + slope + random.normal(0, 0.1, (2000, 6))).astype(np.float32)
    return values, wrong, np.arange(2000) % 10 == 0


def test_fit_tells_wrong_from_right(rising):
    pytest.importorskip("torch")
    values, wrong, held_out = rising
    fitted = fit(*rising, epochs=5, learning_rate=0.01, seed=0)
    assert fitted.average_precision > 0.97 and fitted.accuracy > 0.95
    network = LstmNetwork(fitted.tensors, 6, {})
    found = network.suspicion(values[held_out]) >= 0.5
    assert np.mean(found == wrong[held_out]) == fitted.accuracy
    assert (network.layers, network.units) == (2, 64)


def test_fit_gives_the_same_bytes_and_leaves_torch_as_it_was(rising):
    torch = pytest.importorskip("torch")
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    fits = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            fits.append(fit(*rising, epochs=2, learning_rate=0.01, seed=4))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), state)
    first, second = ([v.tobytes() for v in fitted.tensors.values()] for fitted in fits)
    assert first == second
    other = fit(*rising, epochs=2, learning_rate=0.01, seed=5)
    assert [v.tobytes() for v in other.tensors.values()] != first


def test_fit_goes_on_from_weights(rising):
    pytest.importorskip("torch")
    fitted = fit(*rising, epochs=4, learning_rate=0.01, seed=0)
    start = LstmNetwork(fitted.tensors, 6, {})
    further = fit(*rising, epochs=1, learning_rate=1e-9, seed=1, start=start)
    for name, values in fitted.tensors.items():
        np.testing.assert_allclose(further.tensors[name], values, atol=1e-6)
    assert further.average_precision == pytest.approx(fitted.average_precision)


def test_a_rate_that_fails_is_tried_again_lower(rising):
    """Random weights that hardly move judge by chance; a tenth of a wild rate learns."""
    pytest.importorskip("torch")
    told = []
    with work_context("unused", lambda done, total, unit: told.append((done, total, unit))):
        fitted = fit(*rising, epochs=3, learning_rate=0.3, seed=0)
    assert fitted.accuracy > 0.9
    assert told == [(done, 3 if done <= 3 else 6, "epoch") for done in range(1, 7)]


def test_series_without_a_trace_of_the_truth(rising):
    pytest.importorskip("torch")
    values, wrong, held_out = rising
    with pytest.raises(WorkError) as raised:
        fit(np.full_like(values, 0.5), wrong, held_out, epochs=1, learning_rate=0.01, seed=0)
    assert str(raised.value) == (
        "the detector learned nothing from these series: give learners that tell wrong labels "
        "from right ones, or a lower learning_rate"
    )


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError) as raised:
        require_torch()
    assert str(raised.value) == (
        "training lstm-dynamics needs torch: pip install 'adc-plugins-detect[lstm]'"
    )


def test_the_command_trains_weights_that_the_detector_reads(folder, capsys):
    pytest.importorskip("torch")
    out = folder / "weights.safetensors"
    assert train(folder / "recipe.yaml", "--out", out) == 0
    network = read_network(out)
    assert network.length == 6
    assert network.facts["recipe"] == json.loads(json.dumps(recipe_of(folder).facts))
    assert network.facts["series"] == 1800 and network.facts["from"] is None
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith(f"{out}: average precision ")
    dataset = read_dataset(folder / "right.npz")
    noisy = dataset.labels.copy()
    noisy[:150] = (noisy[:150] + 1) % 3
    dynamics = Curves().learn(dataset.relabeled(noisy)).dynamics
    findings = lstm_dynamics(noisy, dynamics, weights=out)
    assert np.mean(findings.flagged == (np.arange(900) < 150)) > 0.95

    assert train(folder / "recipe.yaml", "--out", folder / "again.safetensors") == 0
    assert (folder / "again.safetensors").read_bytes() == out.read_bytes()

    tuned = folder / "tuned.safetensors"
    assert train(folder / "recipe.yaml", "--out", tuned, "--from", out) == 0
    assert read_network(tuned).facts["from"] == network.facts
    assert read_network(tuned).facts["held_out_average_precision"] >= 0.9


def test_the_command_overwrites_nothing(folder):
    pytest.importorskip("torch")
    (folder / "weights").write_text("precious")
    with pytest.raises(InputError) as raised:
        train(folder / "recipe.yaml", "--out", folder / "weights")
    assert str(raised.value) == (
        f"{folder / 'weights'} already exists: remove it, or give another --out"
    )


def test_the_command_goes_on_only_from_weights_of_the_same_length(folder):
    pytest.importorskip("torch")
    shipped = read_network(SHIPPED)
    other = folder / "other.safetensors"
    write_network(LstmNetwork(shipped.tensors, 40, {}), other)
    with pytest.raises(InputError) as raised:
        train(folder / "recipe.yaml", "--out", folder / "new", "--from", other)
    assert str(raised.value) == (
        f"{other} reads series of 40 steps, not 6: write length: 40 into the recipe"
    )


def test_the_shipped_recipe_is_that_of_the_shipped_weights(tmp_path):
    """The command in its first comment makes the dataset; the weights record the recipe."""
    pytest.importorskip("adc_plugins_learn")
    recipe = SHIPPED.with_suffix(".yaml").read_text()
    (tmp_path / "recipe.yaml").write_text(recipe)
    program = "\n".join(
        line.removeprefix("#   ") for line in recipe.splitlines() if line.startswith("#   ")
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    read = Recipe.read(tmp_path / "recipe.yaml")
    assert json.loads(json.dumps(read.facts)) == read_network(SHIPPED).facts["recipe"]
    digits = read_dataset(read.dataset)
    assert len(digits) == 1797 and len(digits.classes) == 10
