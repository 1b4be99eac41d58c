"""The noise rate: its range holds the truth, and its warnings name the classes."""

import tracemalloc

import numpy as np
import pytest

from adc_core.errors import InputError
from adc_plugins_detect.confident.joint import confident_joint
from adc_plugins_detect.enrichers.ridge_probe import ridge_probe
from adc_plugins_detect.noise.counterfactual import Counterfactual
from adc_plugins_detect.noise.rate import noise_rate, noise_rate_of


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        ("uniform", 0.0),
        ("uniform", 0.05),
        ("uniform", 0.2),
        ("pairs", 0.05),
        ("pairs", 0.1),
        ("swallowing", 0.05),
    ],
)
def test_the_range_holds_planted_noise(digits, kind, share):
    problem = digits(kind, share)
    rate = noise_rate(problem.labels, probabilities=problem.probabilities)
    assert rate.low <= problem.wrong.mean() <= rate.high
    assert rate.point == pytest.approx(problem.wrong.mean(), abs=0.025)
    assert rate.high - rate.low < 0.2
    assert rate.warnings == ()


def test_a_perfect_model_tells_the_truth_within_chance():
    random = np.random.default_rng(0)
    truth = random.integers(0, 5, 5000)
    values = 0.9 * np.eye(5)[truth] + 0.1 * random.dirichlet(np.ones(5), 5000)
    for share in (0.02, 0.1, 0.3):
        wrong = random.random(5000) < share
        labels = np.where(wrong, (truth + random.integers(1, 5, 5000)) % 5, truth)
        rate = noise_rate(labels, probabilities=values)
        assert rate.estimators["differs"] == wrong.mean()
        chance = 3 * share / np.sqrt(0.3 * share * 5000)
        assert rate.estimators["expected wrong labels"] == pytest.approx(wrong.mean(), abs=chance)
        # What people get wrong looks less suspicious than that, so that more is allowed for, ...
        assert rate.point == pytest.approx(confident_joint(labels, values).noise_rate, abs=0.01)
        assert rate.low <= wrong.mean() <= rate.high  # ... never more than the joint counts


def test_right_labels_have_no_noise():
    truth = np.arange(2000) % 4
    rate = noise_rate(truth, probabilities=0.9 * np.eye(4)[truth] + 0.025)
    assert (rate.low, rate.point) == (0, 0)
    assert rate.high < 0.01
    assert set(rate.estimators.values()) == {0.0}


def test_the_point_never_exceeds_the_confident_joint(digits):
    for kind, share in (("uniform", 0.2), ("pairs", 0.1), ("swallowing", 0.05)):
        problem = digits(kind, share)
        rate = noise_rate(problem.labels, probabilities=problem.probabilities)
        joint = confident_joint(problem.labels, problem.probabilities).noise_rate
        assert rate.estimators["confident joint"] == joint >= rate.point


def test_features_alone_are_probed_and_their_neighbors_asked(digits):
    problem = digits("uniform", 0.05)
    rate = noise_rate(problem.labels, problem.features)
    expected = Counterfactual(problem.labels, problem.probabilities)
    assert rate.estimators.keys() == {
        "expected wrong labels", "confident joint", "differs", "HOC",
    }  # fmt: skip
    assert rate.estimators["expected wrong labels"] == expected.rate
    assert rate.estimators["HOC"] == pytest.approx(problem.wrong.mean(), abs=0.03)
    plain = noise_rate(problem.labels, probabilities=problem.probabilities)
    assert (rate.low, rate.point, rate.high) == (plain.low, plain.point, plain.high)


def test_two_classes():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 3000)
    labels = np.where(random.random(3000) < 0.1, 1 - truth, truth)
    features = np.eye(2)[truth] * 4 + random.normal(size=(3000, 2))
    rate = noise_rate(labels, features)
    assert rate.low <= (labels != truth).mean() <= rate.high < 0.25


@pytest.mark.parametrize("rows", [2, 3, 8])
def test_a_handful_of_samples_says_next_to_nothing(rows):
    labels = np.arange(rows) % 2
    values = np.where(np.eye(2)[labels] > 0, 0.8, 0.2)
    rate = noise_rate(labels, probabilities=values)
    assert (rate.low, rate.point) == (0, 0)
    assert rate.high >= 0.5 / rows


def test_a_thousand_classes_take_no_more_memory_than_the_probabilities():
    random = np.random.default_rng(0)
    labels = random.integers(0, 1000, 6000)
    values = random.random((6000, 1000), np.float32)
    values[np.arange(6000), labels] += 500
    values /= values.sum(axis=1, keepdims=True)
    wrong = random.random(6000) < 0.1
    labels = np.where(wrong, random.integers(0, 1000, 6000), labels)
    tracemalloc.start()
    rate = noise_rate(labels, probabilities=values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rate.low <= wrong.mean() <= rate.high
    assert peak < 30 * values.nbytes


def test_classes_that_neighbors_take_for_another_are_named():
    random = np.random.default_rng(0)
    truth = np.arange(900) % 3
    labels = np.where((truth == 0) & (random.random(900) < 0.8), 1, truth)
    features = 5 * np.eye(3)[truth] + random.normal(0, 0.3, (900, 3))
    rate = noise_rate(labels, features, classes=("wolf", "husky", "cat"))
    assert rate.warnings[0] == (
        "judged by neighbors, wolf would be labelled husky more often than wolf: these two "
        "classes look alike to the encoder"
    )


def test_neighbors_that_know_less_than_predictions_are_told():
    truth = np.arange(1000) % 4
    expected = Counterfactual(truth, 0.9 * np.eye(4)[truth] + 0.025)
    values = 0.9 * np.eye(4)[truth] + 0.025
    rate = noise_rate_of(truth, values, expected, (0.42, ("told first",)))
    first, seen, neighbors = rate.warnings
    assert first == "told first"
    assert seen.startswith(
        "predictions agree with all but 0 of the 1,000 labels: if the model was "
    )
    assert neighbors == (
        "neighbors suggest 42 % wrong labels, predictions 0 %: the nearest images are often of "
        "another class, so do not trust the neighbors"
    )
    assert rate.estimators["HOC"] == 0.42


def test_weak_evidence_is_told():
    random = np.random.default_rng(0)
    labels = random.integers(0, 5, 1500)
    values = ridge_probe(labels, random.normal(size=(1500, 8))).values
    rate = noise_rate(labels, probabilities=values)
    differs = (values.argmax(axis=1) != labels).mean()
    assert rate.warnings == (
        f"predictions contradict {100 * differs:.0f} % of the labels: either many are wrong or "
        "the evidence is too weak to tell; a pretrained encoder or `adc audit`, a look at 200 "
        "labels, decides",
    )
    assert rate.high > 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "the noise rate needs features or probabilities: give one of them"),
        (
            {"probabilities": np.eye(3)},
            "probabilities have 3 rows but there are 2 labels: give one row per sample",
        ),
        (
            {"probabilities": np.eye(2), "features": np.eye(3)},
            "features have 3 rows but there are 2 labels: give one row per sample",
        ),
        (
            {"probabilities": [1.0, 0.0]},
            "probabilities: expected a matrix of N samples × K classes, got float64 (2,)",
        ),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(InputError) as raised:
        noise_rate([0, 1], **arguments)
    assert str(raised.value) == message
