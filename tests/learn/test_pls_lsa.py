"""Images outside all classes: how they are found, and learned by predictions."""

import math

import numpy as np
import pytest
import torch

from adc_plugins_learn import PseudoLossSelection
from adc_plugins_learn.learners import pls_lsa
from adc_plugins_learn.learners.mixup import mixed_cross_entropy
from adc_plugins_learn.learners.pls_lsa import sharpened, weighted_blend_loss
from adc_plugins_learn.learners.sop import balance_penalty
from adc_plugins_learn.methods.separation import (
    chance_outside,
    seem_outside,
    small_loss_chance,
)

QUICK = {"image_size": 12, "batch_size": 8, "epochs": 4, "backbone": "tiny-cnn"}


def tensors(example, *names):
    return [torch.tensor(example[name], dtype=torch.float64) for name in names]


def test_the_worked_example(numbers):
    example = numbers["pls"]
    weak, expected, logits = tensors(example, "weak", "sharpened", "logits")
    torch.testing.assert_close(sharpened(weak), expected, rtol=0, atol=1e-9)
    targets, weights = tensors(example, "targets", "weights")
    order = torch.tensor(example["partner"])
    loss = weighted_blend_loss(logits, targets, weights, order, example["mix"])
    assert loss.item() == pytest.approx(example["classification"], abs=1e-9)
    penalty = balance_penalty(logits.softmax(dim=1)).item() - math.log(3)
    assert penalty == pytest.approx(example["penalty"], abs=1e-9)


def test_where_all_count_it_is_mixup(numbers):
    (logits,) = tensors(numbers["pls"], "logits")
    labels, order = torch.tensor([0, 1, 2, 1]), torch.tensor([2, 0, 3, 1])
    found = weighted_blend_loss(
        logits, torch.eye(3, dtype=torch.float64)[labels], torch.ones(4), order, 0.6
    )
    torch.testing.assert_close(
        found, mixed_cross_entropy(logits, labels, labels[order], 0.6).mean()
    )
    none = weighted_blend_loss(logits, torch.eye(3).double()[labels], torch.zeros(4), order, 0.6)
    assert none == 0  # no weight at all is no division by zero


@pytest.mark.parametrize("inside", [4, 8])
def test_a_plane_by_hand(inside):
    """Three of four are right on either side, however many each side has."""
    side = torch.tensor([1.0] * 4 + [-1.0] * inside)
    outside = torch.tensor([1, 1, 1, 0] + [1, 0, 0, 0] * (inside // 4), dtype=torch.bool)
    found = chance_outside(torch.stack([side, 0 * side], dim=1), outside, ridge=0)
    weigh = torch.where(outside, 1 / outside.sum(), 1 / (~outside).sum())
    for place in (1, -1):
        own = side == place
        expected = weigh[own & outside].sum() / weigh[own].sum()
        torch.testing.assert_close(
            found[own], expected.double().expand(own.sum()), atol=1e-6, rtol=0
        )
    if inside == 4:
        assert found[0].item() == pytest.approx(0.75, abs=1e-6)


def test_the_plane_mends_a_guess():
    rng = np.random.default_rng(0)
    outside = torch.arange(550) >= 400
    features = torch.from_numpy(rng.normal(size=(550, 32)) + np.where(outside, -0.4, 1.2)[:, None])
    guess = outside ^ torch.from_numpy(rng.random(550) < 0.2)
    found = chance_outside(features, guess)
    assert ((found > 0.5) == outside).double().mean() > 0.9
    assert not torch.allclose(chance_outside(features, guess, ridge=1.0), found)


def test_surely_large_losses_seem_outside():
    losses = torch.cat([torch.linspace(0, 0.4, 90), torch.linspace(4, 5, 10)])
    assert seem_outside(losses).nonzero()[:, 0].tolist() == list(range(90, 100))
    assert (small_loss_chance(losses)[:90] > 0.5).all()
    assert not seem_outside(torch.ones(5)).any()  # of one kind


def bytes_of(model):
    return b"".join(value.numpy().tobytes() for value in model.network.state_dict().values())


@pytest.fixture(scope="module")
def noisy(squares):
    """A third of the squares has a wrong label."""
    wrong = np.arange(31) % 3 == 0
    return squares.replace(labels=np.where(wrong, (squares.labels + 1) % 3, squares.labels))


def test_every_option_changes_what_is_learned(noisy):
    cases = (
        {},
        {"warm_up": 0.5},
        {"alpha": 0.2},
        {"balance": 1},
        {"strong_augment": ["horizontal-flip"]},
    )
    found = [
        bytes_of(PseudoLossSelection(**QUICK | {"epochs": 8}, **case).learn(noisy))
        for case in cases
    ]
    assert len({*found}) == len(cases)


def test_the_plane_is_in_the_features_of_the_dataset_where_it_has_some(noisy, monkeypatch):
    asked = []

    def plane(features, outside, ridge):
        asked.append((features.shape[1], ridge))
        return outside.double()

    monkeypatch.setattr(pls_lsa, "chance_outside", plane)
    for dataset in (noisy, noisy.replace(features=None)):
        PseudoLossSelection(**QUICK | {"epochs": 8}, ridge=0.5).learn(dataset)
    assert {*asked} == {(3, 0.5), (96, 0.5)}  # as tiny-cnn has


def test_labels_that_were_set_aside_are_never_learned(squares):
    aside = np.arange(31) % 2 > 0
    found = set()
    for other in (0, 1):
        labels = np.where(aside, (squares.labels + other) % 3, squares.labels)
        dataset = squares.replace(labels=labels, columns={"unlabeled": aside})
        found.add(bytes_of(PseudoLossSelection(**QUICK).learn(dataset)))
    assert len(found) == 1
