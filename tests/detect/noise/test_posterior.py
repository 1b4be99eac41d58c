"""The probability of being wrong: rising with suspicion, and right where noise was planted."""

import numpy as np
import pytest

from adc_plugins_detect.noise.counterfactual import Counterfactual
from adc_plugins_detect.noise.posterior import best_other_label, wrong_probability


@pytest.fixture(scope="module")
def problem():
    """6,000 samples of which a fifth carry a wrong label, by predictions that sometimes err."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 5, 6000)
    wrong = random.random(6000) < 0.2
    labels = np.where(wrong, (truth + random.integers(1, 5, 6000)) % 5, truth)
    # The exact probability of each class, given such scores and no label.
    scores = np.exp((np.eye(5)[truth] + random.normal(0, 0.4, (6000, 5))) / 0.4**2)
    return labels, truth, scores / scores.sum(axis=1, keepdims=True)


def test_rises_with_suspicion_and_holds_as_many_as_there_are(problem):
    labels, _, values = problem
    expected = Counterfactual(labels, values)
    for rate in (0.01, 0.2, 0.5):
        probability = wrong_probability(expected, rate)
        assert (np.diff(probability[np.argsort(expected.suspicion, kind="stable")]) >= 0).all()
        assert ((probability >= 0) & (probability <= 1)).all()
        assert probability.mean() <= rate + 0.01
    probability = wrong_probability(expected, 0.2)
    assert probability.mean() == pytest.approx(0.2, abs=0.03)


def test_calibrated_on_planted_noise(problem):
    labels, truth, values = problem
    wrong = labels != truth
    probability = wrong_probability(Counterfactual(labels, values), wrong.mean())
    for low, high in ((0, 0.05), (0.05, 0.5), (0.5, 0.9), (0.9, 1.01)):
        bin_ = (probability >= low) & (probability < high)
        assert bin_.sum() > 30
        chance = 3 * np.sqrt(0.25 / bin_.sum())
        assert wrong[bin_].mean() == pytest.approx(probability[bin_].mean(), abs=chance + 0.03)


def test_no_noise_no_wrong_label(problem):
    labels, _, values = problem
    assert not wrong_probability(Counterfactual(labels, values), 0).any()


def test_order_of_the_samples_does_not_matter(problem):
    labels, _, values = problem
    order = np.random.default_rng(1).permutation(6000)
    plain = wrong_probability(Counterfactual(labels, values), 0.2)
    permuted = wrong_probability(Counterfactual(labels[order], values[order]), 0.2)
    np.testing.assert_allclose(permuted, plain[order], atol=1e-9)


@pytest.mark.parametrize("rows", [2, 3, 11])
def test_a_handful_of_samples(rows):
    labels = np.arange(rows) % 2
    values = np.full((rows, 2), 0.5)
    values[0] = 0.1, 0.9
    probability = wrong_probability(Counterfactual(labels, values), 0.1)
    assert probability.shape == (rows,)
    assert probability[0] == probability.max()


def test_the_best_other_label_by_hand():
    values = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [1.0, 0.0, 0.0]])
    label, share = best_other_label(np.array([0, 2, 0]), values)
    assert label.tolist()[:2] == [1, 0]
    np.testing.assert_allclose(share, [0.6, 0.5, 0])


def test_wrong_labels_are_rather_the_other_label(problem):
    labels, truth, values = problem
    other, share = best_other_label(labels, values)
    wrong = labels != truth
    assert (other != labels).all()
    right = (other == truth)[wrong]
    assert right.mean() == pytest.approx(share[wrong].mean(), abs=0.05)
