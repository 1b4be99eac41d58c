import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.mentormix import (
    MentorMix,
    next_threshold,
    own_shares,
    partner_probabilities,
)
from adc_plugins_learn.training.loop import train


def test_vectors(known):
    expected = known("mentormix", "weights_and_mix").expected
    losses = torch.tensor(expected["losses"], dtype=torch.float64)
    threshold = next_threshold(losses, 0, 70)
    assert threshold == pytest.approx(expected["ema"], abs=1e-9)
    trusted = losses < threshold
    assert trusted.tolist() == [bool(v) for v in expected["v"]]
    np.testing.assert_allclose(
        partner_probabilities(trusted), expected["sampling_probs"], atol=1e-7
    )
    draws = torch.tensor([0.8, 0.35, 0.6, 0.1], dtype=torch.float64)
    np.testing.assert_allclose(own_shares(draws, trusted), expected["mix_own_share"], rtol=1e-12)


def test_all_is_trusted_in_the_burn_in(squares):
    class Sampler:
        pass

    strategy = MentorMix(burn_in=0.5).strategy(squares)
    strategy.begin(Sampler(), 4)
    losses = torch.tensor([0.1, 0.2, 0.3, 9])
    assert strategy._trusted(0, losses, 1).all()
    assert not strategy._trusted(0, losses, 2).all()


def test_reweighting_has_a_threshold_of_its_own(squares):
    learner = MentorMix(reweight=True, image_size=12, epochs=2, batch_size=8)
    strategy = learner.strategy(squares)
    train(squares, None, learner, strategy)
    first, second = strategy.state_dict()["thresholds"]
    assert 0 < first != second > 0


def test_official_code_evaluates_averaged_weights():
    learner = MentorMix(preset="cifar-n", device="cpu")
    assert (learner.weight_average, learner.alpha, learner.percentile) == (0.9999, 8, 60)
