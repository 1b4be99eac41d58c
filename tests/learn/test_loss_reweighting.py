import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.loss_reweighting import (
    importance_weights,
    reweighted_cross_entropy,
)
from adc_plugins_learn.training.parts import cross_entropy


def test_vectors(known):
    case = known("importance_reweight", "T")
    weights = importance_weights(case.Z, case.y, case.T)
    np.testing.assert_allclose(weights, case.expected["weights"], rtol=0, atol=1e-9)
    assert not weights.requires_grad
    loss = reweighted_cross_entropy(case.Z, case.y, case.T).mean()
    assert loss.item() == pytest.approx(case.expected["loss"], abs=1e-8)
    loss.backward()
    one_hot = torch.nn.functional.one_hot(case.y, 3)
    closed_form = weights[:, None] * (case.Z.detach().softmax(dim=1) - one_hot) / 4
    np.testing.assert_allclose(case.Z.grad, closed_form, atol=1e-12)


def test_without_noise_it_is_cross_entropy(known):
    case = known()
    identity = torch.eye(3, dtype=torch.float64)
    np.testing.assert_allclose(
        reweighted_cross_entropy(case.Z, case.y, identity).detach(),
        cross_entropy(case.Z, case.y).detach(),
    )
