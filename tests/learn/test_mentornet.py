import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.mentornet import MentorNet, self_paced_weights
from adc_plugins_learn.training.data.sampler import Batch
from adc_plugins_learn.training.parts import cross_entropy

LOSSES = torch.tensor([0.1, 0.5, 0.75, 1.25, 2.0])


def test_weights_by_hand():
    assert self_paced_weights(LOSSES, 0.5).tolist() == [1, 1, 0, 0, 0]
    assert self_paced_weights(LOSSES, 0.5, 1).tolist() == [1, 1, 0.75, 0.25, 0]


@pytest.mark.parametrize("width", [0, 0.6])
def test_weights_minimize_what_the_curriculum_is_defined_by(width):
    """Of all weights on a grid none makes v·loss − (λ₁ + λ₂)·v + λ₂·v²/2 smaller."""
    grid = torch.linspace(0, 1, 101, dtype=torch.float64)
    losses = torch.linspace(0, 3, 50, dtype=torch.float64)  # none at the threshold itself
    values = grid * losses[:, None] - (0.7 + width) * grid + width * grid**2 / 2
    best = grid[values.argmin(dim=1)]
    found = self_paced_weights(losses, 0.7, width)
    np.testing.assert_allclose(found, best, atol=0.0051)


class Sampler:
    """What a strategy begins with; no images are needed."""

    n_classes, device = 3, torch.device("cpu")


def begun(**options):
    strategy = MentorNet(**options).strategy(None)
    strategy.begin(Sampler(), 10)
    return strategy


def test_the_threshold_follows_a_percentile_of_each_batch(known):
    case = known()
    logits, batch = case.Z.detach(), Batch(torch.arange(4), None, case.y)
    losses = cross_entropy(logits, case.y)  # 0.24, 1.42, 0.06, 4.04
    strategy = begun(percentile=50, threshold_average=0.75, burn_in=0.2)
    assert torch.equal(strategy.loss(logits, batch, 0), losses)  # the burn-in
    first = strategy.state_dict()["threshold"]
    assert first == losses.median() / 2 + losses.sort().values[2] / 2  # none was before
    found = strategy.loss(2 * logits, batch, 2)
    doubled = cross_entropy(2 * logits, case.y)
    second = 0.75 * first + 0.25 * torch.quantile(doubled, 0.5)
    assert strategy.state_dict()["threshold"].item() == pytest.approx(second.item())
    assert torch.equal(found, torch.where(doubled <= second, doubled, 0))
    assert 0 < int((found == 0).sum()) < 4


def test_weights_get_no_gradient(known):
    case = known()
    strategy = begun(percentile=50, falloff=5, burn_in=0)
    losses = strategy.loss(case.Z, Batch(torch.arange(4), None, case.y), 0)
    weights = losses.detach() / cross_entropy(case.Z, case.y).detach()
    losses.sum().backward()
    given = torch.nn.functional.one_hot(case.y, 3)
    expected = weights[:, None] * (case.Z.detach().softmax(dim=1) - given)
    np.testing.assert_allclose(case.Z.grad, expected, atol=1e-12)
