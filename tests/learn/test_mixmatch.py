import math

import pytest
import torch

from adc_plugins_learn.methods.mixmatch import mixmatch_loss


def test_loss_by_hand():
    """Two labeled rows of logits 0, whose −log p is log 2, and a third with p = 0.8, 0.2."""
    logits = torch.tensor([[0.0, 0], [0, 0], [math.log(4), 0]])
    targets = torch.tensor([[1, 0], [0.25, 0.75], [1, 0]])
    weights = torch.tensor([2.0, 1])
    labeled = math.log(2) * ((1 + 0.25) / 2 * 2 + 0.75 / 2)
    unlabeled = (0.2**2 + 0.2**2) / 2
    found = mixmatch_loss(logits, targets, 2, 5, weights)
    assert found.item() == pytest.approx(labeled + 5 * unlabeled)
    assert mixmatch_loss(logits[:2], targets[:2], 2, 5, weights).item() == pytest.approx(labeled)
