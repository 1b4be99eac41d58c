"""Balanced softmax on classes whose rates are learned."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from adc_plugins_learn import BalancedMetaSoftmax
from adc_plugins_learn.learners.balanced_meta import rate_gains
from adc_plugins_learn.learners.learning_to_reweight import alignments
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.networks.layers import statistics_kept
from adc_plugins_learn.training.parts import cross_entropy

QUICK = {"image_size": 12, "epochs": 3, "batch_size": 8, "backbone": "tiny-cnn"}


def test_gains_by_hand():
    """Alignments 3 and 1 of class 0, -2 of class 1; class 2 was not drawn."""
    found = rate_gains(
        torch.tensor([3.0, 1, -2]), torch.tensor([0, 0, 1]), torch.tensor([0.5, 0.3, 0.2])
    )
    np.testing.assert_allclose(found, [(4 - 1) / 3, (-2 - 0.6) / 3, -0.4 / 3], rtol=1e-6)
    assert found.sum().abs() < 1e-6


def test_gains_are_what_a_step_changes():
    """Where every sample is drawn as its class's rate says, they are the exact derivative."""
    torch.manual_seed(0)
    layer = nn.Linear(4, 3).double()
    x, y = torch.randn(6, 4, dtype=torch.float64), torch.tensor([0, 0, 0, 1, 1, 2])
    judges, own = torch.randn(3, 4, dtype=torch.float64), torch.arange(3)
    counts = torch.bincount(y).double()
    preferences = (counts / 6).log().requires_grad_()
    parameters = list(layer.parameters())

    def balanced_loss(rate):
        shares = (preferences.softmax(dim=0) / counts)[y]
        total = (shares * cross_entropy(layer(x), y)).sum()
        steps = torch.autograd.grad(total, parameters, create_graph=True)
        moved = [p - rate * step for p, step in zip(parameters, steps, strict=True)]
        return cross_entropy(nn.functional.linear(judges, *moved), own).mean()

    (expected,) = torch.autograd.grad(balanced_loss(1e-6), preferences)
    aligned = alignments(
        cross_entropy(layer(x), y), cross_entropy(layer(judges), own).mean(), parameters
    )
    found = rate_gains(aligned, y, counts / 6)
    torch.testing.assert_close(-1e-6 * found, expected, rtol=1e-4, atol=1e-14)


def test_statistics_are_kept_within_it():
    norm = nn.BatchNorm1d(2)
    with statistics_kept(norm):
        norm(torch.randn(5, 2))
    assert not norm.running_mean.any() and norm.momentum == 0.1
    norm(torch.randn(5, 2))
    assert norm.running_mean.all()


def test_rates_are_learned_and_zero_learns_none(squares, learned):
    few = squares.take(np.flatnonzero((squares.labels > 0) | (np.arange(31) < 6)))
    found = {}
    for rate in (0, 0.1):
        learner = BalancedMetaSoftmax(**QUICK, meta_learning_rate=rate)
        strategy = learner.strategy(few)
        found[rate] = learned(train(few, None, learner, strategy))
        prior = few.class_counts / len(few)
        moved = np.abs(strategy.rates.numpy() - prior).max()
        assert (moved > 0.01) == (rate > 0)
    assert found[0] != found[0.1]


def test_parts_that_do_not_go_with_it_are_refused():
    with pytest.raises(ValidationError, match="draws classes by rates of its own"):
        BalancedMetaSoftmax(sampler="class-balanced")
    with pytest.raises(ValidationError, match="gives no second derivatives"):
        BalancedMetaSoftmax(torch_compile=True)
