import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adc_plugins_learn.learners.logit_clip import clip_logits
from adc_plugins_learn.training.parts import cross_entropy

rows = st.lists(st.lists(st.floats(-30, 30), min_size=4, max_size=4), min_size=1, max_size=6)


@pytest.mark.parametrize("tau", [1.5, 1.0, 3.0])
@pytest.mark.parametrize("form", ["paper,tau", "official_code,temp"])
def test_vectors(known, form, tau):
    case = known("logit_clip", f"{form}={tau}")
    clipped = clip_logits(case.Z, tau, tau if form == "paper,tau" else 1 / tau)
    np.testing.assert_allclose(clipped.detach(), case.expected["clipped"], atol=1e-9)
    case.agrees(cross_entropy(clipped, case.y))


def test_at_the_threshold():
    edge = torch.tensor([[1.499], [1.501]]) * torch.tensor([0.6, -0.8, 0])
    norms = torch.linalg.vector_norm(clip_logits(edge.double(), 1.5), dim=1)
    np.testing.assert_allclose(norms, [1.499, 1.4999999], atol=1e-6)
    official = torch.linalg.vector_norm(clip_logits(edge.double(), 1.5, 1 / 1.5), dim=1)
    np.testing.assert_allclose(official, [1.499, 0.6666666], atol=1e-6)


@given(rows, st.floats(0.1, 5))
def test_bounds_of_the_loss(rows, tau):
    logits = torch.tensor(rows, dtype=torch.float64)
    losses = cross_entropy(clip_logits(logits, tau), torch.arange(len(rows)) % 4)
    reach = math.sqrt(2) * tau
    assert (losses >= math.log(1 + 3 * math.exp(-reach)) - 1e-9).all()
    assert (losses <= math.log(1 + 3 * math.exp(reach)) + 1e-9).all()


def test_gradient_is_orthogonal_to_clipped_logits():
    logits = torch.randn(20, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    logits = (10 * logits).requires_grad_()
    cross_entropy(clip_logits(logits, 1.5), torch.arange(20) % 5).sum().backward()
    np.testing.assert_allclose((logits * logits.grad).sum(1).detach(), 0, atol=1e-6)


def test_all_zero_logits_have_a_gradient():
    logits = torch.zeros(1, 3, requires_grad=True)
    cross_entropy(clip_logits(logits, 1.5), torch.tensor([0])).sum().backward()
    np.testing.assert_allclose(logits.grad, [[-2 / 3, 1 / 3, 1 / 3]], rtol=1e-5)


def test_a_wide_bound_clips_nothing(known):
    case = known()
    assert torch.equal(clip_logits(case.Z, 1e6), case.Z)
