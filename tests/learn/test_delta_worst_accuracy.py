"""The worst accuracy near the uniform distribution: vectors, and what holds for all numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc_core import Dataset, InputError, Predictions, Run, Training
from adc_plugins_learn import DeltaWorstAccuracy, delta_worst_accuracy

UNIT = st.floats(0, 1, width=32)
ACCURACIES = st.lists(UNIT, min_size=2, max_size=12)
DELTAS = [0, 0.01, 0.1, 0.5, 1, 2, 5, np.inf]
DIVERGENCES = ["kl", "reverse-kl"]


def test_vectors(numbers):
    for case in numbers["delta_worst"]["cases"].values():
        wanted = [row["value"] for row in case["values"]]
        deltas = [row["delta"] for row in case["values"]]
        np.testing.assert_allclose(delta_worst_accuracy(case["acc"], deltas), wanted, atol=1e-12)


def test_vectors_of_another_prior_and_the_reverse(numbers):
    known = numbers["delta_worst"]["nonuniform"]
    value = delta_worst_accuracy(known["acc"], known["delta"], prior=known["u"])
    assert value == pytest.approx(known["value"], abs=1e-12)
    for row in numbers["delta_worst"]["reverse_kl_K3"]:
        value = delta_worst_accuracy([0.9, 0.6, 0.3], row["delta"], divergence="reverse-kl")
        assert value == pytest.approx(row["value"], abs=1e-9)


@pytest.mark.parametrize("divergence", DIVERGENCES)
@given(ACCURACIES)
def test_it_falls_from_the_mean_to_the_worst(divergence, accuracies):
    values = delta_worst_accuracy(accuracies, DELTAS, divergence=divergence)
    assert values[0] == pytest.approx(np.mean(accuracies))
    assert values[-1] == min(accuracies)
    assert (np.diff(values) <= 1e-9).all()
    assert (values >= min(accuracies) - 1e-12).all()
    moved = delta_worst_accuracy(np.add(accuracies, 3), DELTAS, divergence=divergence)
    np.testing.assert_allclose(moved, values + 3, atol=1e-6)
    turned = delta_worst_accuracy(accuracies[::-1], DELTAS, divergence=divergence)
    np.testing.assert_allclose(turned, values, atol=1e-9)


@given(ACCURACIES, st.floats(0, 3))
def test_it_is_at_most_the_mean_of_the_worst_classes(accuracies, delta):
    count = int(np.ceil(len(accuracies) * np.exp(-delta)))
    bound = np.sort(accuracies)[:count].mean()
    assert delta_worst_accuracy(accuracies, delta)[0] <= bound + 1e-9


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_equal_accuracies_stay(divergence):
    np.testing.assert_allclose(delta_worst_accuracy([0.4] * 5, DELTAS, divergence=divergence), 0.4)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0.5, 0.2], -1), {}, "deltas are numbers from 0"),
        (([0.5, np.nan], 1), {}, "leave out classes without test samples"),
        (([], 1), {}, "K finite numbers"),
        (([0.5, 0.2], 1), {"prior": [0.5, 0.6]}, "2 positive numbers that sum to 1"),
        (([0.5, 0.2], 1), {"prior": [1.0]}, "2 positive numbers"),
    ],
)
def test_wrong_input_is_one_line(arguments, options, message):
    with pytest.raises(InputError, match=message):
        delta_worst_accuracy(*arguments, **options)


def test_a_run_is_measured():
    labels = np.array([0, 0, 1, 1, 2])
    test = Dataset(labels=labels, classes=("a", "b", "c", "never"))
    probabilities = np.eye(4, dtype=np.float32)[[0, 0, 1, 0, 0]]
    predictions = Predictions(probabilities=probabilities, classes=test.classes)
    training = Training(learner="plain", trained_on="raw", predictions=predictions)
    run = Run(collected=test, trainings=(training,), test=test)
    found = DeltaWorstAccuracy(deltas=(0, 1)).measure(run)
    assert [one.metric for one in found] == [
        "δ-worst accuracy, δ = 0",
        "δ-worst accuracy, δ = 1",
        "δ-worst accuracy, δ = ∞",
    ]
    assert found[0].value == pytest.approx(0.5)
    assert found[2].value == 0
    other = DeltaWorstAccuracy(deltas=(1,), divergence="reverse-kl").measure(run)
    assert other[0].metric == "δ-worst accuracy, δ = 1, reverse KL"
    assert found[1].value < other[0].value < 0.5
