"""Prediction sets: the reference's ranks, and the coverage that they promise."""

import numpy as np
import pytest
from pydantic import ValidationError

from adc_core import Dataset, InputError, Predictions, Run, Training
from adc_plugins_learn import ConformalSets, prediction_sets

SCORES = [0.02, 0.05, 0.08, 0.11, 0.15, 0.21, 0.32, 0.45, 0.61, 0.92]


def test_the_reference_ranks():
    # Error .2: rank ⌈11 × .8⌉ = 9, which is .61; error .05: rank 11 of 10, so that all are in.
    table = [[0.385, 0.3, 0.315]]
    np.testing.assert_array_equal(prediction_sets(SCORES, [[0.4, 0.38, 0.22]], 0.2)[0], [1, 0, 0])
    assert prediction_sets(SCORES, table, 0.05).all()


def test_the_promise_holds_whatever_the_model_is_worth():
    rng = np.random.default_rng(0)
    for sharpness in (0.0, 1.0, 4.0):
        true = rng.integers(0, 5, 4000)
        logits = rng.normal(size=(4000, 5))
        logits[np.arange(4000), true] += sharpness
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        scores = 1 - chances[np.arange(4000), true]
        sets = prediction_sets(scores[:2000], chances[2000:], 0.1)
        assert sets[np.arange(2000), true[2000:]].mean() == pytest.approx(0.9, abs=0.02)


def run_of(chances, labels):
    classes = tuple("abc")
    trained = Training(
        learner="net",
        trained_on="raw",
        history=(),
        predictions=Predictions(probabilities=np.asarray(chances, np.float32), classes=classes),
    )
    dataset = Dataset(labels=labels, classes=classes)
    return Run(collected=dataset, trainings=(trained,), test=dataset)


def test_a_surer_model_has_smaller_sets():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    figures = []
    for right in (0.0, 0.6, 0.98):
        said = np.where(rng.random(300) < right, labels, rng.integers(0, 3, 300))
        chances = np.full((300, 3), 0.1)
        chances[np.arange(300), said] = 0.8
        chances = chances + rng.uniform(0, 1e-3, chances.shape)
        chances /= chances.sum(axis=1, keepdims=True)
        coverage, size = ConformalSets().measure(run_of(chances, labels))
        assert coverage.metric == "coverage of 90 % sets" and coverage.value >= 0.85
        figures.append(size.value)
    # Who guesses needs nearly all classes; who is nearly always right needs one.
    assert figures[0] > 2.5 > figures[1] > 1.1 > figures[2]


def test_bad_input_and_options():
    with pytest.raises(InputError, match="need calibration scores"):
        prediction_sets([], [[0.5, 0.5]])
    with pytest.raises(ValidationError):
        ConformalSets(miscoverage=0)
    labels = np.arange(60) % 3
    chances = np.random.default_rng(0).dirichlet([1, 1, 1], 60)
    loose, strict = (
        ConformalSets(miscoverage=e).measure(run_of(chances, labels))[1].value for e in (0.5, 0.05)
    )
    assert strict > loose
    assert ConformalSets(seed=1).measure(run_of(chances, labels)) != ConformalSets().measure(
        run_of(chances, labels)
    )
