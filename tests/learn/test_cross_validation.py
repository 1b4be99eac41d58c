"""Folds, what their networks say, and an interrupted cross-validation that goes on."""

from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core import run_pipeline, save_dataset
from adc_core.arrays import NEVER_HELD_OUT, stratified_folds
from adc_core.components.context import work_context
from adc_core.components.registry import registry
from adc_core.errors import InputError, WorkError
from adc_core.images.sequence import ImageArray
from adc_core.records.model import Predictions
from adc_core.runs.listeners import Listeners
from adc_core.runs.pipeline import Pipeline
from adc_plugins_learn.enrichers.cross_validation import CrossValidation
from adc_plugins_learn.learners.cross_entropy import CrossEntropy

SMALL = {"checkpoint_minutes": 0, "image_size": 8, "epochs": 2, "batch_size": 8}
STEPS = 3 * 2 * 3
"""Three folds, two epochs, 20 or 21 of 31 samples in batches of eight."""


class Remembering(CrossEntropy):
    """Keeps the labels and the first pixel of what it was given."""

    seen: ClassVar[list] = []

    def learn(self, dataset, validation=None):
        self.seen.append(dataset.images.array[:, 0, 0, 0].copy())
        return super().learn(dataset, validation)


class StopError(Exception):
    pass


def stop_after(step):
    def on_progress(done, total, unit):
        if done == step:
            raise StopError

    return on_progress


def validation(**options):
    return CrossValidation(learner=CrossEntropy(**SMALL), folds=3, **options)


def values_of(dataset):
    return dataset.probabilities.values


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(2, 7), st.integers(0, 9))
def test_every_class_is_spread_evenly(labels, folds, seed):
    labels = np.array(labels)
    fold = stratified_folds(labels, folds, seed, keep_lone=True)
    for label in np.unique(labels):
        own = fold[labels == label]
        if len(own) == 1:
            assert own == NEVER_HELD_OUT
            continue
        counts = np.bincount(own, minlength=folds)
        assert counts.sum() == len(own) and counts.max() - counts.min() <= 1
    held = fold[fold != NEVER_HELD_OUT]
    sizes = np.bincount(held, minlength=folds)
    assert len(sizes) == folds and sizes.max() - sizes.min() <= 1


def test_folds_are_drawn_from_the_seed():
    labels = np.arange(60) % 3
    first = stratified_folds(labels, 5, 0, keep_lone=True)
    assert np.array_equal(first, stratified_folds(labels, 5, 0, keep_lone=True))
    assert not np.array_equal(first, stratified_folds(labels, 5, 1, keep_lone=True))


def test_each_sample_is_predicted_by_the_network_that_has_not_seen_it(squares):
    values = values_of(validation(seed=4).enrich(squares))
    fold = stratified_folds(squares.labels, 3, 4, keep_lone=True)
    for number in range(3):
        out = np.flatnonzero(fold == number)
        model = CrossEntropy(**SMALL).learn(squares.take(np.flatnonzero(fold != number)))
        wanted = model.predict(squares.images.take(out)).probabilities
        np.testing.assert_array_equal(values[out], wanted)


def test_the_column_and_the_rest_of_the_dataset(squares):
    enriched = validation().enrich(squares)
    assert enriched.probabilities.origin == "out of sample"
    assert enriched.replace(probabilities=None) == squares


def test_a_class_of_two_a_class_of_one_and_a_class_of_none(squares):
    labels = squares.labels.copy()
    labels[[3, 7]], labels[5] = 3, 4
    rare = squares.replace(labels=labels, classes=("red", "green", "blue", "two", "one", "none"))
    Remembering.seen.clear()
    values = values_of(CrossValidation(learner=Remembering(**SMALL), folds=3).enrich(rare))
    np.testing.assert_array_equal(values[5], [0, 0, 0, 0, 1, 0])
    first_pixels = rare.images.array[:, 0, 0, 0]
    assert all(first_pixels[5] in seen for seen in Remembering.seen)
    fold = stratified_folds(labels, 3, 0, keep_lone=True)
    assert fold[3] != fold[7]  # so that neither was predicted without its class
    others = np.delete(np.arange(31), 5)
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)
    assert (values[others] < 1).all()


def test_more_folds_than_samples_leave_one_out_each(squares):
    few = squares.take(np.arange(5))  # two, two and one of the three classes
    Remembering.seen.clear()
    learner = Remembering(**SMALL | {"epochs": 1})
    values_of(CrossValidation(learner=learner, folds=9).enrich(few))
    assert sorted(len(seen) for seen in Remembering.seen) == [4, 4, 4, 4]


class Sorted(CrossEntropy):
    """Its model knows the classes that it saw, in alphabetical order."""

    def learn(self, dataset, validation=None):
        model = super().learn(dataset, validation)
        predict, names = model.predict, sorted(set(np.array(dataset.classes)[dataset.labels]))

        def in_order(images):
            values = predict(images).probabilities
            columns = [dataset.classes.index(name) for name in names]
            return Predictions(probabilities=values[:, columns], classes=tuple(names))

        model.predict = in_order
        return model


def test_probabilities_are_put_in_the_order_of_the_classes(squares):
    wanted = values_of(validation().enrich(squares))
    values = values_of(CrossValidation(learner=Sorted(**SMALL), folds=3).enrich(squares))
    np.testing.assert_array_equal(values, wanted)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            [1, 1, 1, 1],
            "all 4 samples are labelled b: cross-validation needs at least two classes",
        ),
        (
            [1, 0, 2, 3],
            "no class has two samples, so none can be held out: give more samples",
        ),
    ],
)
def test_labels_that_cannot_be_held_out(squares, labels, message):
    few = squares.take(np.arange(4)).replace(labels=np.array(labels), classes=tuple("abcd"))
    with pytest.raises(InputError) as error:
        validation().enrich(few)
    assert str(error.value) == message


def test_images_are_needed(squares):
    assert CrossValidation().required_columns == ("images",)
    with pytest.raises(InputError) as error:
        validation().enrich(squares.replace(images=None))
    assert str(error.value) == "cross-validation needs images: give a dataset that has them"


@pytest.mark.parametrize("step", [1, 4, 7, 12, 18])
def test_interrupted_anywhere_it_ends_with_the_same_bytes(squares, tmp_path, step):
    wanted = values_of(validation().enrich(squares))
    with pytest.raises(StopError), work_context(tmp_path, stop_after(step)):
        validation().enrich(squares)
    steps = []
    with work_context(tmp_path, lambda done, total, unit: steps.append((done, total, unit))):
        values = values_of(validation().enrich(squares))
    np.testing.assert_array_equal(values, wanted)
    # Nothing before the last finished epoch is done again, be it of this fold or of another.
    assert steps[0] == ((step - 1) // 3 * 3 + 1, STEPS, "step")
    assert steps[-1] == (STEPS, STEPS, "step")


def test_finished_folds_are_kept_and_their_trainings_are_not(squares, tmp_path):
    with work_context(tmp_path):
        first = values_of(validation().enrich(squares))
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["fold-1", "fold-2", "fold-3"]
    steps = []
    with work_context(tmp_path, lambda *told: steps.append(told)):
        np.testing.assert_array_equal(values_of(validation().enrich(squares)), first)
    assert steps == []


def test_other_labels_and_other_options_do_not_meet(squares, tmp_path):
    with work_context(tmp_path):
        first = values_of(validation().enrich(squares))
        swapped = squares.relabeled((squares.labels + 1) % 3)
        for other, dataset in ((validation(), swapped), (validation(seed=1), squares)):
            assert not np.array_equal(values_of(other.enrich(dataset)), first)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_damaged_fold_is_named(squares, tmp_path):
    with work_context(tmp_path):
        validation().enrich(squares)
        (path,) = tmp_path.glob("*/fold-2/probabilities.npy")
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        with pytest.raises(WorkError) as error:
            validation().enrich(squares)
    assert str(error.value) == (
        f"{path} is damaged (its SHA-256 differs): remove {path.parent} to make it again"
    )


PIPELINE = """
dataset: planted
enrichers:
  - use: cross-validation
    folds: 3
    learner:
      use: cross-entropy
      image_size: 8
      epochs: 6
      batch_size: 16
      max_translation: 0
      device: cpu
detectors: [confident-learning]
"""


def test_confident_learning_finds_planted_noise_by_it(tmp_path, monkeypatch):
    """240 coloured squares, every eighth label wrong."""
    monkeypatch.setattr(registry, "_added", {})
    rng = np.random.default_rng(5)
    truth = np.arange(240) % 3
    pixels = rng.integers(0, 160, (240, 8, 8, 3), dtype=np.uint8)
    pixels[np.arange(240), :, :, truth] += 60
    wrong = np.arange(240) % 8 == 0
    labels = np.where(wrong, (truth + 1) % 3, truth)
    from adc_core.records.dataset import Dataset

    planted = Dataset(labels=labels, classes=("red", "green", "blue"), images=ImageArray(pixels))
    save_dataset(planted, tmp_path / "planted")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    run = run_pipeline(Pipeline.read(tmp_path / "pipeline.yaml"), tmp_path / "run", Listeners())
    flagged = run.findings["confident-learning"].flagged
    assert flagged[wrong].mean() >= 0.9
    assert wrong[flagged].mean() >= 0.9
    suggested = run.findings["confident-learning"].suggested_labels
    assert (suggested[flagged & wrong] == truth[flagged & wrong]).all()
