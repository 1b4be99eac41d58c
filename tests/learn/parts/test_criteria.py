"""Losses of one sample: by the spec's vectors, and what holds for every one of them."""

import pytest
import torch

from adc_core.components import registry
from adc_plugins_learn import (
    BalancedSoftmax,
    ClassWeighted,
    Criterion,
    TrainingContext,
    balanced_softmax,
    class_weights,
    cross_entropy,
)

NAMES = [entry.full_name for entry in registry.entries("criteria")]


@pytest.fixture(scope="module")
def tail(long_tail):
    known = long_tail
    logits = torch.tensor(known["logits"], dtype=torch.float64)
    return known, logits, torch.tensor(known["labels"]), torch.tensor(known["counts"])


def told(counts, epoch=0):
    return TrainingContext(counts, epochs=10, epoch=epoch)


def test_balanced_softmax_is_as_published(tail):
    known, logits, labels, counts = tail
    expected = torch.tensor(known["balanced_softmax_per_sample"], dtype=torch.float64)
    torch.testing.assert_close(balanced_softmax(logits, labels, counts.double().log()), expected)
    losses = BalancedSoftmax().losses(logits.float(), labels, told(counts))
    torch.testing.assert_close(losses, expected.float())


def test_weights_by_the_effective_number(tail):
    known, _, _, counts = tail
    weights = class_weights(counts.double(), "effective-number", beta=0.9999)
    expected = torch.tensor(known["drw_weights_beta09999"], dtype=torch.float64)
    torch.testing.assert_close(weights / weights.sum() * 3, expected)
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1)


def test_weights_between_none_and_the_inverse_frequency(tail):
    counts = tail[3]
    torch.testing.assert_close(class_weights(counts, "effective-number", beta=0), torch.ones(3))
    inverse = class_weights(counts, "inverse-frequency")
    torch.testing.assert_close(inverse * counts, torch.full((3,), float(counts.sum() / 3)))
    torch.testing.assert_close(
        class_weights(counts, "effective-number", beta=1 - 1e-9), inverse, rtol=1e-4, atol=0
    )


def test_a_class_without_samples_weighs_nothing():
    assert class_weights(torch.tensor([4.0, 0.0]), "inverse-frequency").tolist() == [1, 0]


def test_weights_may_come_later(tail):
    _, logits, labels, counts = tail
    late = ClassWeighted(after=0.8)
    plain = cross_entropy(logits.float(), labels)
    torch.testing.assert_close(late.losses(logits.float(), labels, told(counts, 7)), plain)
    assert not torch.allclose(late.losses(logits.float(), labels, told(counts, 8)), plain)


@pytest.mark.parametrize("name", NAMES)
def test_a_certain_target_is_its_label(tail, name):
    _, logits, labels, counts = tail
    criterion = registry.load(Criterion, name)()
    certain = torch.nn.functional.one_hot(labels, 3).float()
    torch.testing.assert_close(
        criterion.losses(logits.float(), certain, told(counts, 9)),
        criterion.losses(logits.float(), labels, told(counts, 9)),
    )


@pytest.mark.parametrize("name", ["balanced-softmax", "class-weighted"])
def test_with_equal_classes_it_is_cross_entropy(tail, name):
    _, logits, labels, _ = tail
    criterion = registry.load(Criterion, name)()
    torch.testing.assert_close(
        criterion.losses(logits.float(), labels, told(torch.full((3,), 50.0))),
        cross_entropy(logits.float(), labels),
    )
