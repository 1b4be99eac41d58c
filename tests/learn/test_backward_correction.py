import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.backward_correction import (
    backward_cross_entropy,
    well_conditioned,
)
from adc_plugins_learn.training.parts import cross_entropy


def test_vectors(known):
    case = known("backward", "T")
    case.agrees(backward_cross_entropy(case.Z, case.y, case.T))


def test_a_transposed_matrix_gives_other_numbers(known):
    case = known("backward", "WRONG_transposed")
    case.agrees(backward_cross_entropy(case.Z, case.y, case.T.T))


def test_without_noise_it_is_cross_entropy(known):
    case = known()
    identity = torch.eye(3, dtype=torch.float64)
    np.testing.assert_allclose(
        backward_cross_entropy(case.Z, case.y, identity).detach(),
        cross_entropy(case.Z, case.y).detach(),
    )


def test_noise_cancels_on_average(known):
    case = known()
    each = [
        backward_cross_entropy(case.Z, torch.full((4,), label), case.T).detach()
        for label in range(3)
    ]
    for label in range(3):
        np.testing.assert_allclose(
            torch.stack(each, dim=1) @ case.T[label],
            cross_entropy(case.Z, torch.full((4,), label)).detach(),
        )


def test_far_logits_have_bounded_losses():
    logits = torch.tensor([[800.0, 0, -800]], requires_grad=True)
    T = torch.tensor([[0.6, 0.4, 0.0], [0.0, 0.6, 0.4], [0.4, 0.0, 0.6]])
    loss = backward_cross_entropy(logits, torch.tensor([2]), T).sum()
    assert abs(loss) < 100
    loss.backward()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("rows", [[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.9, 0.1]]])
def test_a_singular_matrix_is_mixed_with_the_identity(rows):
    mixed = well_conditioned(torch.tensor(rows))
    assert torch.linalg.cond(mixed) < 1e4
    np.testing.assert_allclose(mixed, 0.9 * torch.tensor(rows) + 0.1 * torch.eye(2), atol=1e-6)
    assert torch.equal(well_conditioned(torch.eye(2)), torch.eye(2))
