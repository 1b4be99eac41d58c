import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.cores import (
    Cores,
    beta_at,
    confidence_regularized,
    sieve_scores,
    sieved_mean,
)
from adc_plugins_learn.training.data.sampler import Batch
from adc_plugins_learn.training.parts import cross_entropy


@pytest.mark.parametrize("name", ["warmup,no_prior", "sieve,no_prior", "sieve,prior"])
def test_vectors(known, name):
    case = known("cores", name)
    prior = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64) if name == "sieve,prior" else None
    scores = sieve_scores(case.Z, case.y).detach()
    np.testing.assert_allclose(scores, case.expected["sieve_score"], rtol=0, atol=1e-9)
    kept = (scores <= 0).double() if name.startswith("sieve") else torch.ones(4)
    assert kept.tolist() == case.expected["kept"]
    losses = confidence_regularized(case.Z, case.y, 2, prior)
    np.testing.assert_allclose(losses.detach(), case.expected["row_loss"], rtol=0, atol=1e-9)
    case.agrees(sieved_mean(losses, kept))


def test_without_regularizer_it_is_cross_entropy(known):
    case = known()
    plain = cross_entropy(case.Z, case.y)
    assert torch.equal(confidence_regularized(case.Z, case.y, 0), plain)


def test_nothing_kept_costs_nothing():
    assert sieved_mean(torch.ones(3), torch.zeros(3)) == 0


def test_schedule(known):
    plan = known().schedules["cores_beta"]["at"]
    assert [beta_at(int(epoch), 100) for epoch in plan] == pytest.approx([*plan.values()])


def test_prior_is_of_the_labels_that_passed(known):
    case = known()
    strategy = Cores().strategy(None)

    class Sampler:
        labels, n_classes = torch.tensor([0, 2, 1, 0]), 3

    strategy.begin(Sampler(), 10)
    strategy.begin_epoch(0, [])
    assert strategy._prior.tolist() == [0.5, 0.25, 0.25]
    strategy.sieved(case.Z.float(), Batch(torch.arange(4), None, case.y), 9)
    assert strategy.state_dict()["dropped"].tolist() == [1, 0, 1]  # scores -1.5, 0.3, -2.5, 1.3
    strategy.begin_epoch(10, [])
    assert strategy._prior.tolist() == [0.5, 0.5, 0]
