"""Exemplars: two forms of one class, defaults, and what is refused."""

import numpy as np
import pytest

from adc_core import InputError
from adc_plugins_review import choose_exemplars
from adc_plugins_review.choosing.choose_exemplars import average_precisions

FEATURES = [
    [1.715, 0.302, -0.018],
    [2.181, 0.538, 0.213],
    [2.54, 0.344, 0.591],
    [1.582, -0.316, -0.505],
    [0.225, 1.903, 0.365],
    [0.127, 2.051, 0.86],
    [0.243, 1.989, -0.394],
    [0.476, 2.381, -0.435],
    [0.469, 0.814, -0.475],
    [0.35, 1.859, -0.454],
    [1.042, 2.303, 0.441],
    [0.192, 0.796, 1.463],
    [0.958, -0.762, 0.312],
    [0.691, 0.314, 2.024],
]
POSITIVE = np.arange(14) < 8


def test_worked_example():
    found = choose_exemplars(FEATURES, POSITIVE, np.arange(8), 4)
    assert found.rows.tolist() == [0, 5, 3]
    expected = [0.7961465617715617, 0.9526289682539683, 0.9704861111111112]
    np.testing.assert_allclose(found.average_precision, expected)
    same = choose_exemplars(FEATURES, POSITIVE)
    assert same.rows.tolist() == found.rows.tolist()
    assert choose_exemplars(FEATURES, POSITIVE, most=1).rows.tolist() == [0]


def test_average_precision():
    scores = np.array([[3.0, 0], [2, 0], [1, 0]])
    found = average_precisions(scores, np.array([True, False, True]))
    np.testing.assert_allclose(found, (1 + 2 / 3) / 2)  # of equals the first is ahead


def test_a_large_class_in_two_forms():
    rng = np.random.default_rng(0)
    form = np.repeat([0, 1, 2], [250, 250, 2500])
    features = 3 * np.eye(3, 6)[form] + 0.5 * rng.normal(size=(3000, 6))
    found = choose_exemplars(features, form < 2, most=2)
    assert sorted(form[found.rows]) == [0, 1]
    assert found.average_precision[1] > found.average_precision[0] + 0.05
    again = choose_exemplars(features, form < 2, most=2)
    assert again.rows.tolist() == found.rows.tolist()
    other = choose_exemplars(features, form < 2, most=1, seed=1)
    assert other.average_precision[0] != found.average_precision[0]


def test_bad_input_is_named():
    rows = np.array(FEATURES)
    for arguments, message in (
        ((rows, POSITIVE[:3]), "positive: expected a boolean for each of 14 rows of features, "),
        ((rows, POSITIVE & False), "positive: no sample is of the class: give some"),
        ((rows, POSITIVE, [14]), "candidates: expected row numbers 0…13, at least one"),
        ((np.where(rows > 2.5, np.nan, rows), POSITIVE), "features: row 2 is not finite"),
    ):
        with pytest.raises(InputError) as caught:
            choose_exemplars(*arguments)
        assert str(caught.value).startswith(message)
