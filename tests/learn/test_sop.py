import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.sop import (
    SparseOverParameterization,
    balance_penalty,
    corrected_probabilities,
    squared_residuals,
)
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.parts import cross_entropy

# By hand: s = (-0.25, 0.16, -0.09), so p + s = (0.25, 0.46, 0.11), whose sum is 0.82.
P, LABEL = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64), torch.tensor([1])
U = torch.tensor([0.4], dtype=torch.float64)
V = torch.tensor([[0.5, 0.9, 0.3]], dtype=torch.float64)


def test_corrected_probabilities():
    found = corrected_probabilities(P.log(), LABEL, U, V)
    np.testing.assert_allclose(found, [[0.25 / 0.82, 0.46 / 0.82, 0.11 / 0.82]], rtol=1e-12)


def test_a_probability_that_noise_takes_away_is_bounded():
    found = corrected_probabilities(P.log(), LABEL, 0 * U, torch.ones_like(V))
    np.testing.assert_allclose(found * 0.3002, [[1e-4, 0.3, 1e-4]], rtol=1e-12)


def test_u_is_learned_by_cross_entropy_alone():
    u, v = U.clone().requires_grad_(), V.clone().requires_grad_()
    found = corrected_probabilities(P.log(), LABEL, u, v)
    (-found[0, 1].log()).backward()
    assert u.grad.item() == pytest.approx(-2 * 0.4 * (1 / 0.46 - 1 / 0.82))
    assert v.grad is None


def test_v_is_learned_by_the_squared_error_alone():
    u, v = U.clone().requires_grad_(), V.clone().requires_grad_()
    losses = squared_residuals(P.log(), LABEL, u, v)
    assert losses.item() == pytest.approx(0.75**2 + 0.84**2 + 0.09**2)
    losses.sum().backward()
    assert u.grad is None
    np.testing.assert_allclose(v.grad, [[-2 * 0.75 * 2 * 0.5, 0, 2 * 0.09 * 2 * 0.3]], rtol=1e-12)


def test_without_noise_it_is_cross_entropy(known):
    case = known()
    zeros = torch.zeros(4, 3, dtype=torch.float64)
    p = corrected_probabilities(case.Z, case.y, zeros[:, 0], zeros)
    losses = -p.gather(1, case.y[:, None])[:, 0].log()
    np.testing.assert_allclose(losses.detach(), cross_entropy(case.Z, case.y).detach(), rtol=1e-12)


def test_the_penalty_is_least_where_all_classes_are_in_use():
    even = torch.full((4, 3), 1 / 3)
    assert balance_penalty(even).item() == pytest.approx(np.log(3))
    uneven = torch.tensor([[0.5, 0.5, 0]])
    assert balance_penalty(uneven).item() == pytest.approx((2 * np.log(2) + np.log(1e4)) / 3)


class Sampler:
    """A training set of six samples, of which no images are needed."""

    n_classes, device = 3, torch.device("cpu")

    def __len__(self):
        return 6


def test_numbers_of_the_samples_of_a_step_follow_their_gradients():
    learner = SparseOverParameterization(u_learning_rate=2, v_learning_rate=30)
    strategy = learner.strategy(None)
    strategy.begin(Sampler(), 4)
    before = strategy.state_dict()
    assert all(0 < value.abs().max() < 1e-6 for value in before.values())
    before = {name: value.clone() for name, value in before.items()}
    rows = torch.tensor([4, 1])
    u, v = (before[name][rows].requires_grad_() for name in "uv")
    strategy._present = (rows, u, v)
    u.grad, v.grad = torch.tensor([0.1, -9]), torch.full((2, 3), 0.001)
    strategy.after_update([])
    after = strategy.state_dict()
    expected = before["u"].clone()
    expected[4], expected[1] = before["u"][4] - 0.2, 1  # at most
    torch.testing.assert_close(after["u"], expected)
    assert torch.equal(after["v"][[0, 2, 3, 5]], before["v"][[0, 2, 3, 5]])
    torch.testing.assert_close(after["v"][rows], before["v"][rows] - 0.03)


def noisy_squares(squares):
    """Every fifth label is wrong."""
    labels = squares.labels.copy()
    labels[::5] = (labels[::5] + 1) % 3
    return squares.replace(labels=labels)


def test_u_grows_where_labels_are_wrong(squares):
    dataset = noisy_squares(squares)
    learner = SparseOverParameterization(
        image_size=12, epochs=25, batch_size=8, learning_rate=0.01, backbone="tiny-cnn"
    )
    strategy = learner.strategy(dataset)
    model = train(dataset, None, learner, strategy)
    wrong = dataset.labels != squares.labels
    u = strategy.state_dict()["u"].numpy() ** 2
    assert u[wrong].mean() > 0.5
    assert u[~wrong].mean() < 0.1
    assert np.mean(model.predict(squares.images).labels == squares.labels) > 0.9


def test_both_views_pass_through_the_network_together(squares, monkeypatch):
    learner = SparseOverParameterization(
        image_size=12, epochs=1, batch_size=8, consistency=0.9, balance=0.1, backbone="tiny-cnn"
    )
    seen = []
    forward = torch.nn.Conv2d.forward

    def noting(self, images):
        seen.append(images)
        return forward(self, images)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", noting)
    learner.learn(squares)
    first = [images for images in seen if images.shape[1] == 3 and len(images) == 16]
    assert len(first) >= 3
    assert all(not torch.equal(*images.chunk(2)) for images in first)


def test_preset_of_the_official_code():
    learner = SparseOverParameterization(preset="cifar-n", device="cpu")
    assert (learner.u_learning_rate, learner.v_learning_rate) == (10, 10)
    assert (learner.consistency, learner.balance, learner.epochs) == (0.9, 0.1, 300)
