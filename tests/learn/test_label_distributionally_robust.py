import math

import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.label_distributionally_robust import (
    LabelDistributionallyRobust,
    adapted_spread,
    adaptive_loss,
    label_distributionally_robust,
    scaled,
)
from adc_plugins_learn.training.data.sampler import Batch
from adc_plugins_learn.training.parts import cross_entropy


@pytest.mark.parametrize(("margin", "spread"), [(0.1, 1.0), (0.1, 10.0), (2.0, 1.0)])
def test_vectors(known, margin, spread):
    case = known("ldr_kl", f"margin={margin},lambda={spread}")
    case.agrees(label_distributionally_robust(case.Z, case.y, margin, spread))


def test_adaptive_vectors(known):
    case = known("aldr_kl", "one_step")
    logits = scaled(case.Z)
    spread = adapted_spread(logits, torch.full((4,), 10.0).double(), 10, 2)
    np.testing.assert_allclose(spread, case.expected["lambda_new"], rtol=0, atol=1e-9)
    assert not spread.requires_grad
    case.agrees(adaptive_loss(logits, case.y, spread, 0.1, 10, 2))


def test_limits(known):
    case = known()
    Z, y = case.Z.detach(), case.y
    plain = label_distributionally_robust(Z, y, 0, 1)
    np.testing.assert_allclose(plain, cross_entropy(Z, y) - math.log(3), rtol=1e-12)
    above = 0.1 * (torch.arange(3) != y[:, None]) + Z - Z.gather(1, y[:, None])
    small = label_distributionally_robust(Z, y, 0.1, 1e-3)
    np.testing.assert_allclose(small, above.amax(dim=1), atol=2e-3)
    large = label_distributionally_robust(Z, y, 0.1, 1e7)
    np.testing.assert_allclose(large, above.mean(dim=1), atol=1e-5)


def test_every_sample_keeps_its_own_spread(known):
    case = known()
    strategy = LabelDistributionallyRobust(adaptive=True).strategy(None)

    class Sampler:
        device = torch.device("cpu")

        def __len__(self):
            return 6

    strategy.begin(Sampler(), 1)
    strategy.loss(case.Z.float(), Batch(torch.tensor([1, 2, 3, 4]), None, case.y), 0)
    spread = strategy.state_dict()["spread"]
    assert (spread == 10).tolist() == [True, False, False, False, False, True]
