"""Samples that show every value of several columns."""

import numpy as np
import pytest

from adc_core import InputError
from adc_plugins_review import most_diverse


def columns_of(table):
    return [np.array(column) for column in zip(*table, strict=True)]


def test_worked_example(vectors):
    example = vectors["most_diverse"]
    columns = columns_of(example["table"])
    assert most_diverse(columns, 7).tolist() == example["chosen"]
    assert most_diverse(columns, 7, rule="sum").tolist() == example["chosen_by_sum"]


def test_rare_values_come_as_often_as_frequent_ones():
    rng = np.random.default_rng(0)
    classes = rng.choice(4, 5000, p=[0.9, 0.06, 0.03, 0.01])
    colors = rng.choice(5, 5000, p=[0.8, 0.1, 0.05, 0.03, 0.02])
    chosen = most_diverse([classes, colors], 60)
    assert len(set(chosen.tolist())) == 60
    assert np.bincount(classes[chosen]).min() >= 13
    assert np.bincount(colors[chosen]).min() >= 10


def test_no_more_than_there_are():
    assert sorted(most_diverse([[0, 0, 1]], 9).tolist()) == [0, 1, 2]


def test_many_rows_are_looked_at_in_parts():
    values = np.random.default_rng(0).integers(0, 50, 150_000)
    chosen = most_diverse([values], 100, seed=1)
    assert np.bincount(values[chosen], minlength=50).tolist() == [2] * 50
    assert chosen.tolist() == most_diverse([values], 100, seed=1).tolist()


@pytest.mark.parametrize(("columns", "budget"), [([], 1), ([[1, 2], [1]], 1), ([[1]], -1)])
def test_wrong_input_is_refused(columns, budget):
    with pytest.raises(InputError):
        most_diverse(columns, budget)
