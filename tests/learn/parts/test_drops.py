"""The post-hoc correction for the worst distribution of classes."""

import numpy as np
import pytest

from adc_core import InputError
from adc_plugins_learn import (
    CrossEntropy,
    Drops,
    PosthocLogitAdjustment,
    delta_worst_accuracy,
    worst_case_weights,
)


@pytest.fixture(scope="module")
def toy(numbers):
    known = numbers["drops"]
    prior = np.array(known["train_prior"])
    return known, np.array(known["logits"]), np.array(known["labels"]), prior


@pytest.mark.parametrize("delta", ["0.01", "0.02", "0.05", "0.2"])
def test_weights_are_those_of_the_vectors(toy, delta):
    known, logits, labels, prior = toy
    weights = worst_case_weights(logits, labels, prior, float(delta))
    np.testing.assert_allclose(weights, known["eg"][delta]["g"], atol=1e-9)
    distance = float((weights * np.log(3 * weights)).sum())
    assert distance == pytest.approx(known["eg"][delta]["kl"], abs=1e-9)
    assert distance <= float(delta) + 1e-12


def mean_losses(logits, labels, prior, weights):
    corrected = logits + np.log(weights) - np.log(prior)
    log_p = corrected - np.log(np.exp(corrected).sum(axis=1, keepdims=True))
    own = -log_p[np.arange(len(labels)), labels]
    return np.array([own[labels == k].mean() for k in range(3)])


@pytest.mark.parametrize("divergence", ["kl", "reverse-kl"])
@pytest.mark.parametrize("delta", [0.01, 0.03, 0.07])
def test_no_weights_within_the_distance_do_worse(toy, divergence, delta):
    """By the metric's exact solution for the losses at which the weights come to rest."""
    _, logits, labels, prior = toy
    weights = worst_case_weights(logits, labels, prior, delta, divergence=divergence)
    losses = mean_losses(logits, labels, prior, weights)
    (least,) = delta_worst_accuracy(-losses, delta, divergence=divergence)
    assert weights @ losses == pytest.approx(-least, abs=1e-6)
    distances = {"kl": weights @ np.log(3 * weights), "reverse-kl": -np.log(3 * weights).mean()}
    assert distances[divergence] == pytest.approx(delta, abs=1e-9)


def test_where_reverse_kl_does_not_bind_both_agree(toy):
    _, logits, labels, prior = toy
    both = [
        worst_case_weights(logits, labels, prior, 2, divergence=one, iterations=4000)
        for one in ("kl", "reverse-kl")
    ]
    np.testing.assert_allclose(*both, atol=1e-6)


def test_at_no_distance_it_is_logit_adjustment(toy):
    _, logits, labels, prior = toy
    counts = (1000 * prior).astype(np.float32)
    drops = Drops(delta=0).shift(logits.astype(np.float32), labels, counts)
    plain = PosthocLogitAdjustment().shift(logits[:0].astype(np.float32), labels[:0], counts)
    differences = (drops - drops[0]) / (plain - plain[0] + 1e-300)
    assert differences[1] == pytest.approx(differences[2])  # the fitted temperature
    for divergence in ("kl", "reverse-kl"):
        weights = worst_case_weights(logits, labels, prior, 0, divergence=divergence)
        np.testing.assert_allclose(weights, 1 / 3)


def test_it_lifts_the_worst_class(toy):
    known, logits, labels, prior = toy
    shift = np.log(worst_case_weights(logits, labels, prior, 0.2)) - np.log(prior)

    def worst(values):
        right = values.argmax(axis=1) == labels
        return min(right[labels == k].mean() for k in range(3))

    assert worst(logits) == 0
    assert worst(logits + shift) == min(known["class_accuracy"]["drops_eg"]) == 0.5


def test_every_class_needs_held_out_samples(toy):
    _, logits, labels, prior = toy
    some = labels != 1
    with pytest.raises(InputError, match="of class 1 there are none: raise validation_fraction"):
        Drops().shift(logits[some].astype(np.float32), labels[some], prior.astype(np.float32))


def test_a_class_that_only_held_out_samples_have_gains_no_more_than_the_largest(toy):
    _, logits, labels, _ = toy
    counts = np.array([60, 30, 0], np.float32)
    of_nobody, as_the_largest = (
        Drops(delta=0).shift(logits.astype(np.float32), labels, given)
        for given in (counts, np.array([60, 30, 60], np.float32))
    )
    assert of_nobody[2] - of_nobody[0] == pytest.approx(as_the_largest[2] - as_the_largest[0])


@pytest.mark.parametrize("divergence", ["kl", "reverse-kl"])
def test_a_training_is_corrected(squares, divergence):
    options = {"epochs": 2, "image_size": 8, "batch_size": 8, "validation_fraction": 0.4}
    posthoc = {"use": "drops", "divergence": divergence}
    model = CrossEntropy(**options, posthoc=posthoc).learn(squares)
    assert len(model.shift) == 3
    assert np.ptp(model.shift) > 0
