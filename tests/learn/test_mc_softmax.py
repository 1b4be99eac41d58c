import math

import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.mc_softmax import MCSoftMax, bounded_cross_entropy
from adc_plugins_learn.training.hardware.precision import Bfloat16Autocast
from adc_plugins_learn.training.networks.heads import MonteCarloSoftmax, mean_softmax
from adc_plugins_learn.training.networks.model import NetworkModel
from adc_plugins_learn.training.parts import cross_entropy

LOW = [[0.5, -1.0], [-0.2, 0.3], [1.2, 0.7]]
OWN = [[0.3, -0.4, 0.1], [-1.1, 0.2, 0.6], [0.4, 0.9, -0.8]]
DRAWS = [torch.tensor(draws, dtype=torch.float64)[:, None] for draws in (LOW, OWN)]


def test_vectors(known):
    case = known("mcsoftmax", "S=3,R=2,tau=1.5")
    factor = torch.stack([0.1 * case.Z2, 0.05 * case.ZP], dim=2).detach()
    spread = torch.nn.functional.softplus(0.3 * case.Z2.detach()) + 1e-3
    log_p = mean_softmax(case.Z, factor, spread, *DRAWS, temperature=1.5)
    np.testing.assert_allclose(log_p.exp().sum(dim=1).detach(), 1, rtol=1e-12)
    case.agrees(bounded_cross_entropy(log_p, case.y))


def test_without_noise_it_is_cross_entropy(known):
    case = known()
    nothing = torch.zeros(4, 3, 2, dtype=torch.float64)
    log_p = mean_softmax(case.Z, nothing, nothing[..., 0], *DRAWS, 2)
    np.testing.assert_allclose(
        bounded_cross_entropy(log_p, case.y).detach(), cross_entropy(case.Z / 2, case.y).detach()
    )


def test_the_loss_is_bounded():
    losses = bounded_cross_entropy(torch.tensor([[-100.0, 0]]), torch.tensor([0]))
    np.testing.assert_allclose(losses, -math.log(1e-7), rtol=1e-6)


def test_draws_are_the_samples_own_while_training_and_fixed_afterwards():
    output = MonteCarloSoftmax(3, rank=2, draws=5, temperature=1)
    numbers = torch.ones(4, output.width)
    assert output.width == 3 * 4
    trained = output.train()(numbers)
    assert len(trained.unique(dim=0)) == 4
    predicted = output.eval()(numbers)
    assert len(predicted.unique(dim=0)) == 1
    assert torch.equal(output(numbers[:1]), predicted[:1])


def test_an_image_is_predicted_the_same_among_others_and_alone(squares):
    model = MCSoftMax(image_size=12, epochs=1, batch_size=8, draws=10).learn(squares)
    together = model.predict(squares.images).probabilities
    alone = model.predict(squares.take(np.array([5])).images).probabilities
    np.testing.assert_allclose(alone[0], together[5], atol=1e-6)


def test_without_a_factor_the_noise_is_each_logits_own(known):
    case = known()
    spread = torch.nn.functional.softplus(0.3 * case.Z2.detach())
    nothing = torch.zeros(4, 3, 2, dtype=torch.float64)
    torch.testing.assert_close(
        mean_softmax(case.Z, None, spread, *DRAWS, 1.5),
        mean_softmax(case.Z, nothing, spread, *DRAWS, 1.5),
    )


def test_two_draws_by_hand():
    """Of a draw and its opposite: logits 1 ± 0.5 and 0 ± 2·(−1), at temperature 2."""
    own = torch.tensor([[[1.0, -1.0]], [[-1.0, 1.0]]])
    location, spread = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5, 2.0]])
    first = 1 / (1 + math.exp((-2 - 1.5) / 2))
    second = 1 / (1 + math.exp((2 - 0.5) / 2))
    expected = [(first + second) / 2, 1 - (first + second) / 2]
    found = mean_softmax(location, None, spread, own, own, 2).exp()
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


def test_a_diagonal_head_integrates_over_a_normal_distribution():
    """Of two classes: the difference of the logits is normal, and p the mean of its sigmoid."""
    head = MonteCarloSoftmax(2, rank=0, draws=20_000, temperature=1)
    assert head.width == 4
    spread = math.log1p(math.exp(0.7)) + 1e-3  # of both logits
    points = np.linspace(-8, 8, 4001)
    density = np.exp(-(points**2) / 2) / math.sqrt(2 * math.pi)
    values = density / (1 + np.exp(-(1.5 + spread * math.sqrt(2) * points)))
    expected = values.sum() * (points[1] - points[0])
    found = head.eval()(torch.tensor([[1.0, -0.5, 0.7, 0.7]])).exp()
    assert found[0, 0].item() == pytest.approx(expected, abs=0.005)
    assert expected < 1 / (1 + math.exp(-1.5)) - 0.03  # noise makes it less sure


@pytest.mark.parametrize("rank", [0, 4])
def test_it_averages_in_single_precision_where_the_network_does_not(rank):
    torch.manual_seed(0)
    head = MonteCarloSoftmax(5, rank=rank, draws=50, temperature=1).eval()
    numbers = torch.randn(8, head.width)
    assert torch.equal(Bfloat16Autocast(head)(numbers), head(numbers))


def test_a_model_with_a_diagonal_head_is_saved_and_read(squares, tmp_path):
    model = MCSoftMax(image_size=12, epochs=1, batch_size=8, draws=10, rank=0).learn(squares)
    model.save(tmp_path / "model")
    again = NetworkModel.load(tmp_path / "model").predict(squares.images)
    np.testing.assert_array_equal(again.probabilities, model.predict(squares.images).probabilities)
