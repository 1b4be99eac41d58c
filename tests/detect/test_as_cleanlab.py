"""Confident learning with what the caller knows already: cleanlab's answers."""

import warnings

import numpy as np
import pytest

from adc_core.errors import InputError
from adc_plugins_detect import confident_learning

filter = pytest.importorskip("cleanlab.filter", reason="cleanlab is not installed")
count = pytest.importorskip("cleanlab.count", reason="cleanlab is not installed")


def problem(seed, n=1500, K=5):
    """Labels with noise, and probabilities of which no two are equal."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, K, n)
    wrong = random.random(n) < 0.2
    labels = np.where(wrong, random.integers(0, K, n), truth)
    logits = 2.5 * np.eye(K)[truth] + random.normal(0, 1, (n, K))
    probabilities = np.exp(logits)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def cleanlabs(labels, probabilities, rule, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return filter.find_label_issues(labels, probabilities, filter_by=rule, n_jobs=1, **options)


PRUNING = ["prune_by_noise_rate", "prune_by_class", "both"]


@pytest.mark.parametrize("rule", PRUNING)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{}, {"frac_noise": 0.5}, {"min_examples_per_class": 250}])
def test_as_many_are_removed_of_each_class(rule, seed, options):
    labels, probabilities = problem(seed)
    # One joint for both: cleanlab rounds equal remainders of its own in an order of the machine.
    joint = count.compute_confident_joint(labels, probabilities)
    options = {"num_to_remove_per_class": [40, 0, 25, 60, 7]} | options
    flagged = confident_learning(labels, probabilities, rule=rule, joint=joint, **options).flagged
    expected = cleanlabs(labels, probabilities, rule, confident_joint=joint, **options)
    np.testing.assert_array_equal(flagged, expected)


@pytest.mark.parametrize("rule", PRUNING)
@pytest.mark.parametrize("seed", range(4))
def test_a_joint_of_one_s_own_is_pruned_by(rule, seed):
    labels, probabilities = problem(seed)
    joint = np.random.default_rng(seed).integers(0, 30, (5, 5)) + 200 * np.eye(5, dtype=int)
    findings = confident_learning(labels, probabilities, rule=rule, joint=joint)
    expected = cleanlabs(labels, probabilities, rule, confident_joint=joint)
    np.testing.assert_array_equal(findings.flagged, expected)
    assert findings.noise_rate == pytest.approx(1 - joint.trace() / joint.sum())


@pytest.mark.parametrize("thresholds", [[0.5] * 5, [0.9, 0.1, 0.3, 0.6, 0.5], [0.0] * 5])
@pytest.mark.parametrize("seed", range(4))
def test_thresholds_of_one_s_own_decide_what_is_confident(thresholds, seed):
    labels, probabilities = problem(seed)
    joint, off_diagonal = count.compute_confident_joint(
        labels, probabilities, thresholds=thresholds, return_indices_of_off_diagonals=True
    )
    flags = confident_learning(
        labels, probabilities, rule="confident_learning", thresholds=thresholds
    ).flagged
    differs = probabilities[off_diagonal].argmax(axis=1) != labels[off_diagonal]
    assert np.flatnonzero(flags).tolist() == sorted(np.array(off_diagonal)[differs])
    pruned = confident_learning(labels, probabilities, thresholds=thresholds)
    given = confident_learning(labels, probabilities, joint=joint)
    np.testing.assert_array_equal(pruned.flagged, given.flagged)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": [0.5]}, "thresholds: expected 5 numbers, got float64 (1,)"),
        (
            {"thresholds": [0.5, 0.5, 0.5, 0.5, np.nan]},
            "thresholds: expected finite numbers from 0, got nan",
        ),
        ({"joint": np.eye(4)}, "joint: expected 5 × 5 numbers, got float64 (4, 4)"),
        ({"joint": np.eye(5) / 2}, "joint: expected whole numbers, got 0.5"),
        (
            {"joint": np.eye(5), "rule": "confident_learning"},
            "joint serves the rules prune_by_noise_rate, prune_by_class, both, "
            "not confident_learning",
        ),
        (
            {"num_to_remove_per_class": [1, 2, 3, 4, 5000]},
            "num_to_remove_per_class: 5000 of class 4, which has 308 samples",
        ),
        (
            {"num_to_remove_per_class": [-1, 2, 3, 4, 5]},
            "num_to_remove_per_class: expected finite numbers from 0, got -1",
        ),
        (
            {"num_to_remove_per_class": [1] * 5, "rule": "low_self_confidence"},
            "num_to_remove_per_class serves the rules prune_by_noise_rate, prune_by_class, both, "
            "not low_self_confidence",
        ),
    ],
)
def test_what_does_not_suit_is_named(options, message):
    with pytest.raises(InputError) as raised:
        confident_learning(*problem(0), **options)
    assert str(raised.value) == message


def test_several_networks_judge_together():
    from adc_plugins_detect import average_models

    labels, one = problem(0)
    other = np.roll(one, 1, axis=1)
    mean = average_models(labels, [one, other])
    for several in ([one, other], (one, other), np.stack([one, other]), [one.tolist(), other]):
        assert confident_learning(labels, several) == confident_learning(labels, mean)
    assert confident_learning(labels, [mean, mean]).flagged.any()
    assert confident_learning(labels, one.tolist()) == confident_learning(labels, one)
    with pytest.raises(InputError) as raised:
        confident_learning(labels, [one, one[:, :4] / one[:, :4].sum(axis=1, keepdims=True)])
    assert str(raised.value) == (
        "the models' probabilities are (1500, 5) and (1500, 4): give all for the same classes"
    )
    broken = one.copy()
    broken[3, 0] = np.inf
    with pytest.raises(InputError, match="probabilities: row 3 is inf"):
        confident_learning(labels, [one, broken])
