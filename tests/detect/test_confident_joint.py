import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.errors import InputError
from adc_plugins_detect.confident import joint as module
from adc_plugins_detect.confident.joint import confident_joint, in_range, round_rows

SECTIONS = [
    "confident_learning",
    "confident_learning_rules_differ",
    "confident_learning_missing_class",
]


@pytest.mark.parametrize("section", SECTIONS)
def test_worked_examples(vectors, section):
    example = vectors[section]
    joint = confident_joint(np.array(example["labels"]), np.array(example["pred_probs"]))
    np.testing.assert_allclose(joint.thresholds, example["thresholds"], atol=1e-12)
    np.testing.assert_array_equal(joint.raw.dense(), example["confident_joint_raw"])
    np.testing.assert_array_equal(joint.calibrated.dense(), example["confident_joint_calibrated"])
    if "off_diagonal_indices" in example:
        assert np.flatnonzero(joint.off_diagonal).tolist() == example["off_diagonal_indices"]
        count = (joint.off_diagonal & ~joint.agrees).sum()
        assert count == example["num_issues_off_diagonal"]
        rate = example["num_issues_calibrated"] / len(example["labels"])
        assert joint.noise_rate == pytest.approx(rate, abs=1e-12)


def test_the_transition_is_the_transposed_noise_matrix(vectors):
    example = vectors["confident_learning"]
    joint = confident_joint(np.array(example["labels"]), np.array(example["pred_probs"]))
    np.testing.assert_allclose(joint.transition().T, example["noise_matrix"], atol=1e-12)


def test_an_absent_class_keeps_its_labels(vectors):
    example = vectors["confident_learning_missing_class"]
    joint = confident_joint(np.array(example["labels"]), np.array(example["pred_probs"]))
    assert joint.transition().tolist() == [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 1]]


def test_rounding_keeps_sums(vectors):
    for values, expected in vectors["round_preserving_sum"]["cases"]:
        rounded = round_rows(np.zeros(len(values), int), np.array(values), 1)
        assert rounded.tolist() == expected


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.floats(0, 50), min_size=1, max_size=9), min_size=1, max_size=5))
def test_rounding_moves_no_number_by_one(rows):
    numbers = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    values = np.concatenate(rows)
    rounded = round_rows(numbers, values, len(rows))
    assert (np.abs(rounded - values) < 1 + 1e-9).all()
    for number, row in enumerate(rows):
        assert rounded[numbers == number].sum() == np.bincount(numbers, values)[number].round()
        assert len(row) == (numbers == number).sum()


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n_classes=st.integers(2, 7), rows=st.integers(2, 60))
def test_calibrated_rows_are_the_counts_of_given_labels(seed, n_classes, rows):
    random = np.random.default_rng(seed)
    labels = random.integers(0, n_classes, rows)
    joint = confident_joint(labels, random.dirichlet(np.ones(n_classes), rows))
    calibrated = joint.calibrated.dense()
    np.testing.assert_array_equal(calibrated.sum(axis=1), np.bincount(labels, minlength=n_classes))
    assert (calibrated >= 0).all()
    np.testing.assert_allclose(joint.transition().sum(axis=1), 1)


def test_many_classes_are_counted_alike():
    random = np.random.default_rng(0)
    given, true = random.integers(0, 30, (2, 200)) * 10
    expected = np.zeros((300, 300), int)
    np.add.at(expected, (given, true), 1)
    np.fill_diagonal(expected, expected.diagonal().clip(min=1))
    sparse = module._count(given, true, 300)
    np.testing.assert_array_equal(sparse.dense(), expected)
    dense = module._count(np.tile(given, 100), np.tile(true, 100), 300)
    off = ~np.eye(300, dtype=bool)
    np.testing.assert_array_equal(dense.dense()[off], 100 * expected[off])
    assert len(dense.diagonal) == len(sparse.diagonal) == 300


def test_reading_in_chunks_is_the_same(monkeypatch):
    random = np.random.default_rng(0)
    labels, probabilities = random.integers(0, 40, 500), random.dirichlet(np.full(40, 0.1), 500)
    whole = confident_joint(labels, probabilities)
    monkeypatch.setattr(module, "_CHUNK_ENTRIES", 97)
    chunked = confident_joint(labels, probabilities)
    np.testing.assert_array_equal(chunked.raw.dense(), whole.raw.dense())
    np.testing.assert_array_equal(chunked.off_diagonal, whole.off_diagonal)
    np.testing.assert_array_equal(chunked.agrees, whole.agrees)


def test_clips_what_rounding_left_outside():
    assert in_range(np.array([-1e-4, 0.5, 1.0004])).tolist() == [0, 0.5, 1]
    values = np.array([0.0, 1.0])
    assert in_range(values) is values


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ([0.5, 0.625, 0.125], "0.5, 0.625, 0.125 with sum 1.25"),
        ([1.5, -0.5, 0.0], "1.5, -0.5, 0 with sum 1"),
        ([np.nan, 0.5, 0.5], "nan, 0.5, 0.5 with sum nan"),
        ([np.inf, 0.0, 0.0], "inf, 0, 0 with sum inf"),
        ([0.125, 0.125, 0.125, 0.125], "0.125, 0.125, 0.125, … with sum 0.5"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rows_that_are_no_probabilities_are_named(row, shown, dtype):
    probabilities = np.full((5, len(row)), 1 / len(row), dtype)
    probabilities[3] = row
    with pytest.raises(InputError) as raised:
        confident_joint(np.arange(5) % 2, probabilities)
    assert str(raised.value) == (
        f"probabilities: row 3 is {shown}: "
        "expected finite numbers in 0…1 that sum to one, as softmax gives"
    )
