import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from adc_plugins_learn.learners.backward_correction import backward_cross_entropy
from adc_plugins_learn.learners.label_smoothing import (
    NegativeLabelSmoothing,
    smoothed_cross_entropy,
)
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.schedule import learning_rate

LOGITS = torch.randn(50, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 4
LABELS = torch.arange(50) % 5


@pytest.mark.parametrize("rate", [0.6, -0.2, 0.1])
def test_vectors(known, rate):
    case = known("gls", f"r={rate}")
    case.agrees(smoothed_cross_entropy(case.Z, case.y, rate))


def test_without_smoothing_it_is_cross_entropy():
    np.testing.assert_allclose(
        smoothed_cross_entropy(LOGITS, LABELS, 0), cross_entropy(LOGITS, LABELS), rtol=1e-12
    )


@pytest.mark.parametrize("rate", [0.1, 0.7, 1])
def test_it_is_torchs_where_torch_has_it(rate):
    torchs = torch.nn.functional.cross_entropy(
        LOGITS, LABELS, reduction="none", label_smoothing=rate
    )
    np.testing.assert_allclose(smoothed_cross_entropy(LOGITS, LABELS, rate), torchs, rtol=1e-12)


def test_mass_spread_over_the_other_classes():
    log_p = LOGITS.log_softmax(dim=1)
    given = torch.nn.functional.one_hot(LABELS, 5).double()
    target = 0.8 * given + 0.2 / 4 * (1 - given)
    np.testing.assert_allclose(
        smoothed_cross_entropy(LOGITS, LABELS, 0.2 * 5 / 4), -(target * log_p).sum(1), rtol=1e-12
    )


def test_negative_smoothing_is_backward_correction_of_symmetric_noise():
    K, noise = 5, 0.3
    logits = LOGITS / 4  # where backward correction bounds no logarithm
    transition = torch.full((K, K), noise / (K - 1), dtype=torch.float64).fill_diagonal_(0.7)
    rate = -noise * K / ((K - 1) - noise * K)
    np.testing.assert_allclose(
        smoothed_cross_entropy(logits, LABELS, rate),
        backward_cross_entropy(logits, LABELS, transition),
        rtol=1e-9,
    )


def test_learning_rate_after_the_warm_up(squares):
    used = []
    hook = register_optimizer_step_pre_hook(
        lambda optimizer, *_: used.append(optimizer.param_groups[0]["lr"])
    )
    quick = {"image_size": 8, "epochs": 2, "batch_size": 16, "schedule": "constant"}
    try:
        NegativeLabelSmoothing(**quick, later_rate=1e-6).learn(squares)
    finally:
        hook.remove()
    assert used == [0.05, 0.05, 1e-6, 1e-6]


def test_preset_of_the_official_code(squares):
    learner = NegativeLabelSmoothing(preset="cifar-n", device="cpu")
    rates = [learning_rate(learner, epoch) for epoch in range(120)]
    assert rates == pytest.approx([0.1] * 40 + [0.01] * 40 + [0.001] * 40)
    assert (learner.momentum, learner.weight_decay, learner.later_rate) == (0, 0, 1e-6)
    assert round(learner.warm_up * learner.epochs) == 120
