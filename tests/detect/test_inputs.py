import numpy as np
import pytest

from adc_core.errors import InputError
from adc_plugins_detect.inputs import as_labels, as_rows, needed, row_ids, same_length


def test_labels_keep_their_values():
    assert as_labels([0, 2, 1]).tolist() == [0, 2, 1]
    assert as_labels(np.array([0, 2], np.uint8), 3).dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "n_classes", "message"),
    [
        ([0.5, 1.0], None, "labels: row 0 is 0.5, expected a whole number or a class name"),
        (
            [[0], [1]],
            None,
            "labels: expected one whole number or class name per sample, got int64 (2, 1)",
        ),
        (np.zeros(0, int), None, "labels: expected at least one sample, got none"),
        ([0, -1], None, "labels: row 1 is -1, expected 0…K-1"),
        ([0, 5, 9], 5, "labels: row 1 is 5, expected 0…4"),
    ],
)
def test_bad_labels_are_named(labels, n_classes, message):
    with pytest.raises(InputError) as raised:
        as_labels(labels, n_classes)
    assert str(raised.value) == message


def test_bad_matrices_are_named():
    with pytest.raises(InputError) as raised:
        as_rows([1.0, 2.0], "features")
    assert str(raised.value) == (
        "features: expected a matrix of numbers with one row per sample, got float64 (2,)"
    )
    with pytest.raises(InputError) as raised:
        as_rows([[1.0], [np.inf]], "features")
    assert str(raised.value) == "features: row 1 is not finite (NaN or infinity)"


def test_whole_numbers_become_floats():
    assert as_rows([[1, 2]], "features").dtype == np.float64


def test_other_lengths_are_named():
    with pytest.raises(InputError) as raised:
        same_length(np.zeros(3), np.zeros(2), "features")
    assert str(raised.value) == (
        "features have 2 rows but there are 3 labels: give one row per sample"
    )


def test_a_missing_column_says_what_adds_it():
    assert needed(3, "features", "an encoder") == 3
    with pytest.raises(InputError) as raised:
        needed(None, "features", "an encoder")
    assert str(raised.value) == 'the dataset has no column "features": an encoder adds it'


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 100, 101, 1234])
def test_row_ids_are_the_row_numbers(rows):
    ids = row_ids(rows)
    assert ids.tolist() == [str(row) for row in range(rows)]
