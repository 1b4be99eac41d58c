import numpy as np
import pytest

from adc_core.components.context import work_context
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.data.validation_split import validation_split

OPTIONS = {"image_size": 12, "epochs": 4, "batch_size": 8, "validation_fraction": 0.3}


def test_of_every_label_the_same_share():
    dataset = Dataset(labels=np.repeat([0, 1, 2], [50, 20, 1]), classes=("a", "b", "c"))
    train, held = validation_split(dataset, 0.2, seed=0)
    assert train.class_counts.tolist() == [40, 16, 1]
    assert held.class_counts.tolist() == [10, 4, 0]
    assert sorted([*train.ids, *held.ids]) == sorted(dataset.ids)
    assert validation_split(dataset, 0.2, seed=0)[1] == held
    assert validation_split(dataset, 0.2, seed=1)[1] != held


def test_too_few_to_hold_out():
    with pytest.raises(InputError) as raised:
        validation_split(Dataset(labels=[0, 1, 0, 1]), 0.1, seed=0)
    assert str(raised.value) == (
        "validation_fraction 0.1 holds out none of 4 samples: raise it, or leave it out"
    )


def test_the_best_epoch_is_kept(squares):
    """The kept network has the best accuracy of the history, at a rate at which it jumps about."""
    options = OPTIONS | {"learning_rate": 1.0, "schedule": "constant", "epochs": 7, "seed": 6}
    _, held = validation_split(squares, 0.3, seed=6)
    best = CrossEntropy(**options, select_epoch="best").learn(squares)
    last = CrossEntropy(**options).learn(squares)
    seen = [epoch.validation_accuracy for epoch in last.history]
    assert [epoch.validation_accuracy for epoch in best.history] == seen
    assert seen[-1] < max(seen)
    accuracy = {
        model: np.mean(model.predict(held.images).labels == held.labels) for model in (best, last)
    }
    assert accuracy == {best: max(seen), last: seen[-1]}
    assert best.dynamics.loss.shape == (len(squares) - len(held), 7)


def test_an_interrupted_training_keeps_the_same_epoch(squares, learned, tmp_path):
    learner = CrossEntropy(**OPTIONS, select_epoch="best")

    class StopError(Exception):
        pass

    def stop(done, total, unit):
        if done == 7:
            raise StopError

    with pytest.raises(StopError), work_context(tmp_path, stop):
        learner.learn(squares)
    with work_context(tmp_path):
        again = learner.learn(squares)
    assert learned(again) == learned(learner.learn(squares))


def test_the_best_epoch_needs_a_validation_set(squares):
    with pytest.raises(InputError) as raised:
        CrossEntropy(image_size=12, epochs=1, select_epoch="best").learn(squares)
    assert str(raised.value) == "select_epoch: best needs a validation set: set validation_fraction"
