import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.bootstrap import hard_bootstrap, soft_bootstrap
from adc_plugins_learn.training.parts import cross_entropy


@pytest.mark.parametrize(("detach", "name"), [(False, "no_detach"), (True, "detach")])
def test_soft_vectors(known, detach, name):
    case = known("bootstrap", f"soft,beta=0.95,{name}")
    case.agrees(soft_bootstrap(case.Z, case.y, 0.95, detach))


def test_hard_vectors(known):
    case = known("bootstrap", "hard,beta=0.8")
    case.agrees(hard_bootstrap(case.Z, case.y, 0.8))


@pytest.mark.parametrize("function", [soft_bootstrap, hard_bootstrap])
def test_with_full_trust_it_is_cross_entropy(known, function):
    case = known()
    np.testing.assert_allclose(
        function(case.Z, case.y, 1).detach(), cross_entropy(case.Z, case.y).detach()
    )


def test_logits_far_apart_have_finite_gradients():
    logits = torch.tensor([[800.0, 0, -800]], requires_grad=True)
    soft_bootstrap(logits, torch.tensor([2])).sum().backward()
    assert torch.isfinite(logits.grad).all()
