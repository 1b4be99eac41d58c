import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_detect.simulators.class_conditional import (
    ClassConditionalNoise,
    corrupt,
)

DATASET = Dataset(labels=np.arange(40_000) % 4)
T = ((0.5, 0.3, 0.2, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.1, 0.8, 0.1), (0.25, 0.25, 0.25, 0.25))


def test_labels_follow_their_row():
    corruption = ClassConditionalNoise(transition=T).corrupt(DATASET)
    seen = np.zeros((4, 4))
    np.add.at(seen, (DATASET.labels, corruption.labels), 1 / 10_000)
    np.testing.assert_allclose(seen, T, atol=5 * 0.5 / np.sqrt(10_000))
    assert (seen[np.array(T) == 0] == 0).all()
    np.testing.assert_array_equal(corruption.transition, T)


def test_lower_rates_are_nested_in_higher():
    low, high = (corrupt(DATASET.labels, np.eye(4) * (1 - r) + r / 4, 0) for r in (0.1, 0.4))
    assert (high.mask | ~low.mask).all()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), n_classes=st.integers(2, 6))
def test_any_matrix_is_obeyed(seed, n_classes):
    random = np.random.default_rng(seed)
    matrix = random.dirichlet(np.full(n_classes, 0.3), n_classes)
    matrix[matrix < 0.05] = 0
    matrix /= matrix.sum(axis=1, keepdims=True)
    labels = random.integers(0, n_classes, 500)
    corruption = corrupt(labels, matrix, seed)
    assert (matrix[labels, corruption.labels] > 0).all()
    np.testing.assert_array_equal(corruption.mask, corruption.labels != labels)


def test_the_dataset_must_have_as_many_classes():
    with pytest.raises(InputError) as raised:
        ClassConditionalNoise(transition=((0.9, 0.1), (0.1, 0.9))).corrupt(DATASET)
    assert str(raised.value) == (
        "transition has 2 rows but there are 4 classes: give one row per class"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transition": ((1.0,), (0.5, 0.5))}, "transition: give K rows of K numbers"),
        ({"transition": ((1.0, 0.0), (0.5, 0.4))}, "transition: row 1 sums to 0.9, expected 1"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValidationError) as raised:
        ClassConditionalNoise(**options)
    assert [error["msg"] for error in raised.value.errors()] == [f"Value error, {message}"]


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_probabilities_are_checked_one_by_one(bad):
    with pytest.raises(ValidationError) as raised:
        ClassConditionalNoise(transition=((1.0, 0.0), (0.5, bad)))
    assert [error["loc"] for error in raised.value.errors()] == [("transition", 1, 1)]
