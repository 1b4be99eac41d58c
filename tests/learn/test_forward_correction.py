import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adc_plugins_learn.learners.forward_correction import ForwardCorrection, forward_cross_entropy
from adc_plugins_learn.training.parts import cross_entropy

rows = st.lists(st.lists(st.floats(-30, 30), min_size=3, max_size=3), min_size=1, max_size=6)


def test_vectors(known):
    case = known("forward", "T")
    case.agrees(forward_cross_entropy(case.Z, case.y, case.T))


def test_a_transposed_matrix_gives_other_numbers(known):
    case = known("forward", "WRONG_transposed")
    case.agrees(forward_cross_entropy(case.Z, case.y, case.T.T))


@given(rows)
def test_identities(rows):
    logits = torch.tensor(rows, dtype=torch.float64)
    labels = torch.arange(len(rows)) % 3
    identity = torch.eye(3, dtype=torch.float64)
    np.testing.assert_allclose(
        forward_cross_entropy(logits, labels, identity).clamp_max(20),
        cross_entropy(logits, labels).clamp_max(20),
        atol=1e-3,
    )
    uniform = torch.full((3, 3), 1 / 3, dtype=torch.float64)
    np.testing.assert_allclose(
        forward_cross_entropy(logits, labels, uniform), math.log(3), atol=1e-9
    )


@given(rows)
def test_probabilities_of_all_labels_sum_to_one(rows):
    logits = torch.tensor(rows, dtype=torch.float64)
    T = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]], dtype=torch.float64)
    each = [forward_cross_entropy(logits, torch.full((len(rows),), label), T) for label in range(3)]
    np.testing.assert_allclose(torch.stack(each).neg().exp().sum(dim=0), 1, rtol=1e-9)


def test_preset_of_the_paper():
    learner = ForwardCorrection(preset="adc", device="cpu")
    assert (learner.backbone, learner.epochs, learner.learning_rate) == ("resnet50", 20, 0.01)
    assert (learner.warm_up, learner.source, learner.schedule) == (0.5, "raw", "step")
    assert learner.preset == "default"
    assert ForwardCorrection(preset="adc", source="frozen").source == "frozen"


def test_it_predicts_true_classes_not_given_ones(squares):
    """All labels one class too far, and a matrix that says so."""
    shifted = squares.relabeled((squares.labels + 1) % 3)
    learner = ForwardCorrection(
        transition=((0, 1, 0), (0, 0, 1), (1, 0, 0)),
        warm_up=0,
        image_size=12,
        epochs=6,
        batch_size=8,
    )
    predicted = learner.learn(shifted).predict(squares.images).labels
    assert np.mean(predicted == squares.labels) == pytest.approx(1)
