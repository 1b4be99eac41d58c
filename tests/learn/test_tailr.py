"""TaiLr: the worked example, both ends of gamma, the floor and the warm-up."""

import numpy as np
import pytest
import torch

from adc_plugins_learn import TaiLr, tailr_loss
from adc_plugins_learn.training.parts import cross_entropy

P = np.array([0.001, 0.01, 0.1, 0.5, 0.9])
LOGITS = torch.tensor(np.log(np.stack([P, 1 - P], axis=1)))
LABELS = torch.zeros(5, dtype=torch.int64)


def slopes(**options):
    """The gradient of the losses by the probability of the label, p(1 - p) being that of logits."""
    logits = LOGITS.clone().requires_grad_(True)
    tailr_loss(logits, LABELS, **options).sum().backward()
    return logits.grad[:, 0].numpy() / (P * (1 - P))


def test_worked_example():
    expected = [
        *(0.06846140018812821, 0.4224926776135863, 1.2118868910494975),
        *(0.6301338005090411, 0.10420270779345457),
    ]
    np.testing.assert_allclose(tailr_loss(LOGITS, LABELS), expected)
    gradient = [
        *(-9.910802775024777, -9.174311926605503, -5.263157894736842),
        *(-1.8181818181818181, -1.098901098901099),
    ]
    np.testing.assert_allclose(slopes(), gradient)
    floored = tailr_loss(LOGITS, LABELS, floor=0.2) / cross_entropy(LOGITS, LABELS)
    weights = [0.2, 0.2, 0.5263157894736842, 0.9090909090909091, 0.989010989010989]
    np.testing.assert_allclose(floored, weights)


def test_both_ends_of_gamma():
    np.testing.assert_allclose(
        tailr_loss(LOGITS, LABELS, gamma=1e-12), cross_entropy(LOGITS, LABELS), rtol=1e-8
    )
    np.testing.assert_allclose(slopes(gamma=1), -1)  # that of 1 - p


def test_a_probability_that_underflows_has_a_gradient():
    logits = torch.tensor([[0.0, 800, 1]], requires_grad=True)
    tailr_loss(logits, torch.tensor([0]), gamma=0.5, floor=0.1).sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize("option", [{"gamma": 0.9}, {"floor": 0.5}, {"warm_up": 1}])
def test_every_option_counts(squares, learned, option):
    quick = {"backbone": "tiny-cnn", "image_size": 8, "epochs": 2, "batch_size": 16, "gamma": 0.8}
    one, other = (TaiLr(**quick | more).learn(squares) for more in ({"warm_up": 0}, option))
    assert learned(one) != learned(other)
