import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.jocor import JoCoR, jocor_loss, joint_losses
from adc_plugins_learn.training.parts import cross_entropy


@pytest.mark.parametrize("agreement", [0.9, 0.3])
def test_vectors(known, agreement):
    case = known("jocor", f"lambda={agreement},forget=0.25")
    losses = joint_losses(case.Z, case.Z2, case.y, agreement)
    np.testing.assert_allclose(losses.detach(), case.expected["joint_per_sample"], atol=1e-9)
    case.agrees(jocor_loss(case.Z, case.Z2, case.y, 0.25, agreement=agreement))


def test_identities(known):
    case = known()
    plain = cross_entropy(case.Z, case.y) + cross_entropy(case.Z2, case.y)
    loss = jocor_loss(case.Z, case.Z2, case.y, 0, agreement=0)
    assert loss.item() == pytest.approx(plain.mean().item())
    assert joint_losses(case.Z, case.Z, case.y, 1).tolist() == [0, 0, 0, 0]
    apart = joint_losses(case.Z, case.Z2, case.y, 1).mean()
    assert apart.item() == pytest.approx(1.1757816445, abs=1e-9)


def test_logits_far_apart_have_finite_gradients():
    first = torch.tensor([[800.0, 0, -800]], requires_grad=True)
    second = torch.tensor([[0.0, 1, 2]], requires_grad=True)
    joint_losses(first, second, torch.tensor([0]), 0.5).sum().backward()
    assert torch.isfinite(first.grad).all()
    assert torch.isfinite(second.grad).all()


def test_preset_of_the_paper():
    learner = JoCoR(preset="adc", device="cpu")
    assert (learner.agreement, learner.learning_rate, learner.decay_from) == (0.3, 1e-4, 0.25)
    assert (learner.optimizer, learner.schedule, learner.epochs) == ("adam", "linear", 20)
