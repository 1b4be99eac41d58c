import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc_core.records.dataset import Dataset
from adc_core.records.model import Epoch, Predictions
from adc_core.records.run import Run, Training
from adc_core.testing.toys import toy_run
from adc_plugins_learn.metrics.accuracy import Accuracy, class_accuracies

CLASSES = ("cat", "dog", "owl")


def test_class_accuracies():
    predicted, labels = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 0])
    each = class_accuracies(predicted, labels, 3)
    np.testing.assert_allclose(each, [1 / 2, 2 / 3, np.nan])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_weighted_by_class_sizes_they_are_the_accuracy(pairs):
    predicted, labels = np.array(pairs).T
    each = class_accuracies(predicted, labels, 4)
    counts = np.bincount(labels, minlength=4)
    assert np.nansum(each * counts) / len(labels) == pytest.approx(np.mean(predicted == labels))
    assert np.array_equal(np.isnan(each), counts == 0)


def run_of(guesses, labels, subjects=("raw",)):
    images = np.zeros((len(labels), 4, 4, 3), np.uint8)
    test = Dataset(labels=labels, classes=CLASSES, images=images)
    predictions = Predictions(probabilities=np.eye(3)[guesses], classes=CLASSES)
    trainings = tuple(
        Training(learner="net", trained_on=subject, predictions=predictions) for subject in subjects
    )
    return Run(collected=test, trainings=trainings, test=test)


def test_overall_worst_and_every_class():
    measured = Accuracy().measure(run_of([0, 0, 1, 1, 1], [0, 1, 1, 1, 0]))
    assert {m.metric: m.value for m in measured} == {
        "accuracy": 3 / 5,
        "worst-class accuracy": 1 / 2,
        "accuracy of cat": 1 / 2,
        "accuracy of dog": 2 / 3,
        "accuracy of owl": None,
    }
    assert [m.detail for m in measured] == [False, False, True, True, True]
    assert {m.better for m in measured} == {"higher"}
    assert {m.subject for m in measured} == {"net on raw"}


def test_every_training_is_measured():
    measured = Accuracy().measure(run_of([0, 1], [0, 1], ("raw", "clean")))
    assert [m.subject for m in measured if m.metric == "accuracy"] == ["net on raw", "net on clean"]


def test_without_predictions_there_is_nothing_to_measure():
    run = run_of([0, 1], [0, 1])
    unpredicted = Training(learner="net", trained_on="raw")
    assert Accuracy().measure(run.replace(trainings=(unpredicted,))) == ()
    assert Accuracy().measure(run.replace(test=None)) == ()


def test_validation_accuracies_are_labeled():
    run = toy_run()
    (training,) = run.trainings
    history = tuple(
        Epoch(epoch=n, loss=1, accuracy=0.5, validation_accuracy=a)
        for n, a in enumerate((0.4, 0.8, 0.6), 1)
    )
    measured = Accuracy().measure(run.replace(trainings=(training.replace(history=history),)))
    figures = {m.metric: m.value for m in measured if m.metric.startswith("validation")}
    assert figures == {
        "validation accuracy, last epoch": 0.6,
        "validation accuracy, best epoch": 0.8,
    }
