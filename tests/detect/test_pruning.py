import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_plugins_detect.detectors.confident_joint import confident_joint
from adc_plugins_detect.detectors.pruning import _prune_counts, highest


@pytest.mark.parametrize("section", ["confident_learning", "confident_learning_rules_differ"])
def test_prune_counts_of_the_worked_examples(vectors, section):
    example = vectors[section]
    joint = confident_joint(np.array(example["labels"]), np.array(example["pred_probs"]))
    counts = _prune_counts(joint, 1.0, 1)
    np.testing.assert_array_equal(counts.dense().T, example["prune_count_matrix"])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), max_size=20), st.integers(-1, 22))
def test_the_highest_are_those_of_a_stable_sort(values, count):
    values = np.array(values)
    expected = np.zeros(len(values), bool)
    expected[np.argsort(-values, kind="stable")[: max(0, count)]] = True
    np.testing.assert_array_equal(highest(values, count), expected)
