import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.mixup import mixed_cross_entropy, sample_beta
from adc_plugins_learn.training.parts import cross_entropy


def test_vectors(known):
    case = known("mixup", "lam=0.3")
    case.agrees(mixed_cross_entropy(case.Z, case.y, case.y[[2, 0, 3, 1]], 0.3))


def test_alone_it_is_cross_entropy(known):
    case = known()
    np.testing.assert_allclose(
        mixed_cross_entropy(case.Z, case.y, case.yp, 1).detach(),
        cross_entropy(case.Z, case.y).detach(),
    )


def test_a_small_alpha_hardly_blends():
    torch.manual_seed(0)
    shares = sample_beta(0.01, 1000)
    assert ((shares < 0.01) | (shares > 0.99)).float().mean() > 0.95
    assert sample_beta(1, 4000).mean() == pytest.approx(0.5, abs=0.03)
