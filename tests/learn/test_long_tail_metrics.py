"""Accuracy by how many samples classes have, and calibration."""

import numpy as np
import pytest
from pydantic import ValidationError

from adc_core import Dataset, InputError, Predictions, Run, Training
from adc_plugins_learn import CalibrationError, ManyMediumFew, expected_calibration_error


@pytest.fixture(scope="module")
def run():
    """Three classes of 200, 50 and 5 samples; one is predicted always."""
    collected = Dataset(labels=np.repeat([0, 1, 2], [200, 50, 5]), classes=("a", "b", "c"))
    test = Dataset(labels=np.array([0, 0, 1, 1, 2, 2]), classes=collected.classes)
    probabilities = np.array([[0.8, 0.1, 0.1]] * 5 + [[0.1, 0.1, 0.8]], np.float32)
    predictions = Predictions(probabilities=probabilities, classes=test.classes)
    training = Training(learner="plain", trained_on="raw", predictions=predictions)
    return Run(collected=collected, trainings=(training,), test=test)


def test_groups_by_the_training_samples(run):
    found = {one.metric: one.value for one in ManyMediumFew().measure(run)}
    assert found == {
        "macro accuracy": pytest.approx(0.5),
        "accuracy of classes with many samples (> 100)": 1,
        "accuracy of classes between": 0,
        "accuracy of classes with few samples (< 20)": 0.5,
    }


def test_a_group_without_classes_is_left_out(run):
    found = [one.metric for one in ManyMediumFew(many=500, few=1).measure(run)]
    assert found == ["macro accuracy", "accuracy of classes between"]


def test_few_are_not_more_than_many():
    with pytest.raises(ValidationError, match=r"few \(30\) must not be above many \(10\)"):
        ManyMediumFew(many=10, few=30)


def test_calibration_of_a_run(run):
    (found,) = CalibrationError().measure(run)
    assert found.value == pytest.approx(abs(3 / 6 - 0.8))
    assert found.better == "lower"


def test_calibration_by_hand():
    sure = [0.05, 0.15, 0.15, 0.95, 1.0]
    right = [False, True, False, True, True]
    # Bins of a tenth: 0.05; 0.15 and 0.15, half right; 0.95 and 1, both right.
    expected = (0.05 + abs(1 - 0.3) + abs(2 - 1.95)) / 5
    assert expected_calibration_error(sure, right, bins=10) == pytest.approx(expected)


def test_a_calibrated_model_comes_near_zero():
    rng = np.random.default_rng(0)
    sure = rng.random(200_000)
    assert expected_calibration_error(sure, rng.random(200_000) < sure) < 0.005


@pytest.mark.parametrize(
    ("sure", "right", "message"),
    [([], [], "N probabilities"), ([0.2], [True, False], "N prob"), ([1.5], [True], "0 … 1")],
)
def test_wrong_input_is_one_line(sure, right, message):
    with pytest.raises(InputError, match=message):
        expected_calibration_error(sure, right)
