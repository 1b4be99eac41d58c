import math

import numpy as np
import torch

from adc_plugins_learn.learners.mc_softmax import MCSoftMax, bounded_cross_entropy
from adc_plugins_learn.training.networks.heads import MonteCarloSoftmax, mean_softmax
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
