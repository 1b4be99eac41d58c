import numpy as np
import pytest

from adc_plugins_detect.confident.joint import confident_joint
from adc_plugins_detect.confident.pruning import _prune_counts


@pytest.mark.parametrize("section", ["confident_learning", "confident_learning_rules_differ"])
def test_prune_counts_of_the_worked_examples(vectors, section):
    example = vectors[section]
    joint = confident_joint(np.array(example["labels"]), np.array(example["pred_probs"]))
    counts = _prune_counts(joint, 1.0, 1)
    np.testing.assert_array_equal(counts.dense().T, example["prune_count_matrix"])
