"""Kinds of noise that `adc recommend` simulates."""

import numpy as np
import pytest

from adc_core import Dataset
from adc_plugins_detect.simulators.symmetric import symmetric_transition
from adc_plugins_detect.trial.noise import (
    MOST_OF_A_CLASS,
    confuse,
    kinds_of_noise,
    scaled_transition,
)

K = 3
SHARES = np.array([0.5, 0.3, 0.2])
ESTIMATED = np.array([[0.9, 0.1, 0], [0, 1, 0], [0.1, 0.1, 0.8]])


def test_scaled_transition_has_the_rate_and_keeps_the_confusions():
    scaled = scaled_transition(ESTIMATED, SHARES, 0.2)
    assert np.allclose(scaled.sum(axis=1), 1)
    # Off the diagonal there were 0.5 × 0.1 + 0.2 × 0.2 = 0.09.
    assert np.allclose(scaled[0], [1 - 2 / 9, 2 / 9, 0])
    assert np.allclose(scaled[2], [2 / 9, 2 / 9, 5 / 9])
    assert np.isclose(SHARES @ (1 - scaled.diagonal()), 0.2)


def test_no_class_becomes_mostly_wrong():
    scaled = scaled_transition(ESTIMATED, SHARES, 0.4)
    assert np.isclose(1 - scaled.diagonal().min(), MOST_OF_A_CLASS)


def test_without_confusions_the_transition_is_symmetric():
    assert np.allclose(scaled_transition(np.eye(K), SHARES, 0.3), symmetric_transition(K, 0.3))


def test_confused_are_exactly_the_rate_and_mostly_what_the_model_doubts():
    random = np.random.default_rng(0)
    labels = random.integers(0, K, 3000)
    doubted = np.arange(3000) < 1000
    own = np.where(doubted, 0.5, 0.99)
    probabilities = np.zeros((3000, K))
    probabilities[np.arange(3000), labels] = own
    probabilities[np.arange(3000), (labels + 1) % K] = 1 - own
    noisy = confuse(labels, probabilities, 0.1, 0)
    wrong = noisy != labels
    assert wrong.sum() == 300
    assert doubted[wrong].mean() > 0.9
    assert (noisy[wrong] == (labels[wrong] + 1) % K).mean() > 0.99
    assert (confuse(labels, probabilities, 0.1, 0) == noisy).all()
    assert (confuse(labels, probabilities, 0.1, 1) != noisy).any()
    assert (confuse(labels, probabilities, 0, 0) == labels).all()


@pytest.mark.parametrize("n_classes", [2, 5])
def test_every_kind_makes_about_as_many_wrong(n_classes):
    random = np.random.default_rng(0)
    labels = random.integers(0, n_classes, 2000)
    features = random.normal(size=(2000, 4)).astype(np.float32)
    probabilities = random.dirichlet(np.ones(n_classes), 2000)
    dataset = Dataset(labels=labels, features=features)
    kinds = kinds_of_noise(dataset, probabilities, np.eye(n_classes), 0.2)
    assert list(kinds) == [
        "estimated",
        "symmetric",
        "pair-flip",
        "instance-dependent",
        "confusable",
    ]
    for name, kind in kinds.items():
        noisy = kind(0)
        assert abs((noisy != labels).mean() - 0.2) < 0.03, name
        assert (kind(0) == noisy).all()
        assert (kind(1) != noisy).any()
