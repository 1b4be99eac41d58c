import numpy as np
import torch

from adc_plugins_learn.learners.elr import EarlyLearningRegularization
from adc_plugins_learn.training.data.sampler import Batch

INDEX = (torch.tensor([0, 1, 2, 3]), torch.tensor([2, 3, 4, 5]))


class Sampler:
    """Six samples of three classes."""

    n_classes, device = 3, torch.device("cpu")

    def __len__(self):
        return 6


def begun(**options):
    strategy = EarlyLearningRegularization(**options).strategy(None)
    strategy.begin(Sampler(), 1)
    strategy.memory = strategy.memory.double()
    return strategy


def test_vectors(known):
    case = known("elr", "two_steps")
    strategy = begun()
    for step, (logits, labels) in enumerate(((case.Z, case.y), (case.Z2, case.yp)), start=1):
        loss = strategy.loss(logits, Batch(INDEX[step - 1], None, labels), 0).mean()
        np.testing.assert_allclose(loss.item(), case.expected[f"loss{step}"], rtol=0, atol=1e-9)
        loss.backward()
        np.testing.assert_allclose(logits.grad, case.expected[f"grad{step}"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(strategy.memory, case.expected["targets_after"], rtol=0, atol=1e-9)


def test_only_the_memory_of_the_batch_changes(known):
    case = known()
    strategy = begun()
    strategy.loss(case.Z, Batch(INDEX[1], None, case.y), 0)
    assert strategy.memory.sum(dim=1).bool().tolist() == [False, False, True, True, True, True]


def test_without_weight_it_is_cross_entropy(known):
    case = known()
    losses = begun(weight=0).loss(case.Z, Batch(INDEX[0], None, case.y), 0)
    plain = torch.nn.functional.cross_entropy(case.Z, case.y, reduction="none")
    assert torch.equal(losses, plain)


def test_a_remembered_prediction_has_a_bounded_penalty():
    strategy = begun(beta=0)
    logits = torch.tensor([[800.0, 0, 0]], dtype=torch.float64, requires_grad=True)
    strategy.loss(logits, Batch(torch.tensor([0]), None, torch.tensor([1])), 0).sum().backward()
    assert torch.isfinite(logits.grad).all()
