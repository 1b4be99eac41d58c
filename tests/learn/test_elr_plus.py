import math

import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.elr_plus import EarlyLearningRegularizationPlus, average_decay
from adc_plugins_learn.training.data.sampler import Batch
from adc_plugins_learn.training.strategy import BatchPlan

QUICK = {"image_size": 12, "epochs": 2, "batch_size": 8}


def test_decay_of_the_averages():
    assert average_decay(0) == pytest.approx(0.997 * math.exp(-5 * (1 - 1 / 40_000) ** 2))
    assert average_decay(39_999) == average_decay(10**6) == 0.997
    assert average_decay(0, 0) == 0


def test_averages_follow_the_networks(squares):
    strategy = EarlyLearningRegularizationPlus(average_decay=0.5, ramp_steps=1).strategy(squares)
    networks = [torch.nn.BatchNorm1d(2) for _ in range(2)]
    strategy._steps = 5
    strategy.begin_epoch(0, networks)
    networks[0].weight.data.fill_(3)
    strategy.after_update(networks)
    first, second = strategy._averages
    assert first.weight.tolist() == [2, 2]
    # BatchNorm takes the batch's statistics, and its own running ones follow what it sees.
    assert first.training
    assert first(torch.tensor([[1.0, 5.0], [3.0, 9.0]])).tolist()[0] == pytest.approx(
        [-2, -2], rel=1e-4
    )
    assert [first.num_batches_tracked.item(), networks[0].num_batches_tracked.item()] == [1, 0]
    assert second.weight.tolist() == [1, 1]
    assert not first.weight.requires_grad


def test_each_memory_holds_what_the_other_average_predicts(squares):
    learner = EarlyLearningRegularizationPlus(beta=0, **QUICK)
    strategy = learner.strategy(squares)

    class Sampler:
        n_classes, device = 3, torch.device("cpu")
        generator = torch.Generator().manual_seed(0)

        def __len__(self):
            return 4

    class Constant(torch.nn.Module):
        def __init__(self, logits):
            super().__init__()
            self.logits = torch.nn.Parameter(torch.tensor([logits]))

        def forward(self, images):
            return self.logits.expand(len(images), -1)

    strategy.begin(Sampler(), 2)
    Sampler.batch = lambda self, rows: Batch(rows, torch.zeros(4, 3, 2, 2), torch.zeros(4).long())
    networks = [Constant([1.0, 2, 3]), Constant([3.0, 0, 0])]
    strategy.begin_epoch(0, networks)
    strategy.step(BatchPlan(torch.arange(4)), networks, 0)
    for number in range(2):
        expected = networks[1 - number].logits.softmax(dim=1).expand(4, -1).detach()
        np.testing.assert_allclose(strategy.memory[number], expected, rtol=1e-6)
