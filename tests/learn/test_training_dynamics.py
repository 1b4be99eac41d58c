"""The enricher alone, and in pipelines: one training for all detectors, anew for other labels."""

from typing import ClassVar

import numpy as np
import pytest

from adc_core import read_dataset, run_pipeline, save_dataset
from adc_core.components.interfaces import Learner
from adc_core.components.registry import registry
from adc_core.errors import InputError
from adc_core.runs.listeners import Listeners
from adc_core.runs.pipeline import Pipeline
from adc_plugins_learn.enrichers.training_dynamics import TrainingDynamics
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.networks.model import NetworkModel

PIPELINE = """
dataset: squares
enrichers: [{use: training-dynamics, learner: {use: cross-entropy, image_size: 8, epochs: 5}}]
detectors: [{use: aum}, {use: small-loss}]
"""


class Forgetful(CrossEntropy):
    """Remembers nothing of what it saw."""

    def learn(self, dataset, validation=None):
        model = super().learn(dataset, validation)
        return NetworkModel(model.network, model.architecture, model.classes, model.history)


class Counting(CrossEntropy):
    """Says how often it trained."""

    trainings: ClassVar[list[int]] = []

    def learn(self, dataset, validation=None):
        self.trainings.append(len(dataset))
        return super().learn(dataset, validation)


@pytest.fixture
def run(squares, tmp_path, monkeypatch):
    """Run a pipeline file in one directory."""
    monkeypatch.setattr(registry, "_added", {})
    registry.add("counting", Counting)
    Counting.trainings.clear()
    save_dataset(squares, tmp_path / "squares")

    def run(text):
        (tmp_path / "pipeline.yaml").write_text(text)
        return run_pipeline(
            Pipeline.read(tmp_path / "pipeline.yaml"), tmp_path / "run", Listeners()
        )

    return run


def test_adds_what_its_learner_saw(squares):
    learner = CrossEntropy(epochs=2, image_size=8)
    enriched = TrainingDynamics(learner=learner).enrich(squares)
    assert enriched.dynamics == learner.learn(squares).dynamics
    assert enriched.dynamics.margin.shape == (31, 2)
    assert enriched.replace(dynamics=None) == squares


def test_a_learner_that_records_nothing(squares):
    with pytest.raises(InputError) as raised:
        TrainingDynamics(learner=Forgetful(epochs=1, image_size=8)).enrich(squares)
    assert str(raised.value) == (
        "the learner Forgetful records no training dynamics: choose another"
    )


def test_needs_what_its_learner_needs():
    class OnFeatures(Counting):
        """Needs another column than images."""

        reads: ClassVar[tuple[str, ...]] = ("features",)

    assert TrainingDynamics().needs == ("images",)
    assert TrainingDynamics(learner=OnFeatures()).needs == ("features",)
    assert isinstance(TrainingDynamics().learner, Learner)


def test_a_pipeline_of_dynamics_and_detectors(run, squares):
    done = run(PIPELINE)
    dynamics = done.collected.dynamics
    assert dynamics == CrossEntropy(epochs=5, image_size=8).learn(squares).dynamics
    assert list(done.findings) == ["aum", "small-loss"]
    order = np.argsort(dynamics.margin[:, 1:].mean(axis=1))
    np.testing.assert_array_equal(np.argsort(-done.findings["aum"].suspicion), order)


def test_one_training_serves_every_detector_also_of_a_later_run(run):
    text = PIPELINE.replace("use: cross-entropy", "use: counting")
    run(text)
    assert len(Counting.trainings) == 1
    assert list(run(text.replace("{use: aum}", "aum, forgetting, data-maps")).findings) == [
        *("aum", "forgetting", "data-maps", "small-loss")
    ]
    assert len(Counting.trainings) == 1


def test_other_labels_ask_for_another_training(run):
    text = PIPELINE.replace("use: cross-entropy", "use: counting")
    first = run(text)
    second = run(text + "simulators: [{use: symmetric, rate: 0.3}]")
    assert len(Counting.trainings) == 2
    assert second.collected.dynamics != first.collected.dynamics


def test_relabeled_samples_have_no_dynamics(squares):
    enriched = TrainingDynamics(learner=CrossEntropy(epochs=1, image_size=8)).enrich(squares)
    assert enriched.relabeled((squares.labels + 1) % 3).dynamics is None
    assert enriched.take(np.array([4, 2])).dynamics.loss.shape == (2, 1)


def test_detectors_that_train_by_themselves_need_images_and_no_dynamics(run, squares):
    small = "use: cross-entropy, image_size: 8"
    done = run(
        "dataset: squares\ndetectors:\n"
        f"  - {{use: aum, learner: {{{small}, epochs: 3}}}}\n"
        f"  - {{use: early-stop-ce, learner: {{{small}, epochs: 1}}, confidence_in: max}}\n"
    )
    assert done.collected.dynamics is None
    assert done.findings["aum"].covered.all()
    model = CrossEntropy(image_size=8, epochs=1).learn(squares)
    most = model.predict(squares.images).probabilities.max(axis=1)
    np.testing.assert_allclose(done.findings["early-stop-ce"].suspicion, 1 - most, atol=1e-6)


def test_logits_are_kept_saved_and_read(squares, tmp_path):
    learner = CrossEntropy(image_size=12, epochs=2, keep_logits=True)
    model = learner.learn(squares)
    logits = model.dynamics.logits.astype(np.float64)
    probability = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    given = probability[np.arange(31), :, squares.labels]
    np.testing.assert_allclose(model.dynamics.given_probability, given, atol=2e-3)
    model.save(tmp_path / "model")
    assert NetworkModel.load(tmp_path / "model").dynamics == model.dynamics
    enriched = TrainingDynamics(learner=learner).enrich(squares)
    save_dataset(enriched, tmp_path / "dataset")
    read = read_dataset(tmp_path / "dataset")
    assert read.dynamics == enriched.dynamics
    rows = np.array([4, 2])
    np.testing.assert_array_equal(read.take(rows).dynamics.logits, model.dynamics.logits[rows])
