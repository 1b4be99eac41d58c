import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adc_plugins_learn.learners.generalized_cross_entropy import (
    GeneralizedCrossEntropy,
    generalized_cross_entropy,
    truncated_weights,
)
from adc_plugins_learn.training.parts import cross_entropy

rows = st.lists(st.lists(st.floats(-30, 30), min_size=4, max_size=4), min_size=1, max_size=6)


def test_vectors(known):
    case = known("gce", "q=0.7")
    case.agrees(generalized_cross_entropy(case.Z, case.y, 0.7))


def test_truncated(known):
    case = known("gce", "truncated_k=0.5")
    weights = truncated_weights(case.Z, case.y, 0.5)
    assert weights.tolist() == case.expected["weights"]
    at_the_bound = (1 - 0.5**0.7) / 0.7
    loss = (weights * (generalized_cross_entropy(case.Z, case.y, 0.7) - at_the_bound)).mean()
    assert loss.item() == pytest.approx(case.expected["loss_repo"], abs=1e-9)


@given(rows)
def test_between_cross_entropy_and_absolute_error(rows):
    logits = torch.tensor(rows, dtype=torch.float64)
    labels = torch.arange(len(rows)) % 4
    losses = cross_entropy(logits, labels)
    error = 1 - (-losses).exp()
    np.testing.assert_allclose(generalized_cross_entropy(logits, labels, 1), error, atol=1e-12)
    np.testing.assert_allclose(
        generalized_cross_entropy(logits, labels, 1e-9), losses, rtol=1e-6, atol=1e-9
    )
    between = generalized_cross_entropy(logits, labels, 0.7)
    assert (between >= error - 1e-12).all()
    assert (between <= losses + 1e-12).all()


def test_a_probability_that_underflows_has_a_gradient():
    logits = torch.tensor([[0.0, 800, 1]], requires_grad=True)
    generalized_cross_entropy(logits, torch.tensor([0]), 0.7).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_truncation_leaves_out_what_the_network_doubts(squares):
    options = {"image_size": 12, "epochs": 2, "batch_size": 8}
    strategy = GeneralizedCrossEntropy(truncation=0.5, truncate_from=0, **options).strategy(squares)

    class Sampler:
        labels = torch.tensor([0, 1])
        device = labels.device

        def __len__(self):
            return 2

        def evaluate(self, network):
            return torch.tensor([[1.0, 0], [1.0, 0]])

    strategy.begin(Sampler(), 2)
    assert strategy.weights.tolist() == [1, 1]
    strategy.begin_epoch(0, [None])
    assert strategy.weights.tolist() == [1, 0]
