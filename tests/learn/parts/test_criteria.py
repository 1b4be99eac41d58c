"""Losses of one sample: by the spec's vectors, and what holds for every one of them."""

import numpy as np
import pytest
import torch

from adc_core import InputError
from adc_core.components import ResultFault, registry
from adc_plugins_learn import (
    BalancedSoftmax,
    ClassWeighted,
    CoTeaching,
    Criterion,
    CrossEntropy,
    LabelDistributionAwareMargin,
    LearningToReweight,
    LogitAdjustedCrossEntropy,
    Mixup,
    NetworkModel,
    TrainingContext,
    balanced_softmax,
    class_margins,
    class_weights,
    cross_entropy,
    focal_loss,
    ldam_loss,
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


@pytest.mark.parametrize("name", ["balanced-softmax", "class-weighted", "logit-adjustment"])
def test_with_equal_classes_it_is_cross_entropy(tail, name):
    _, logits, labels, _ = tail
    criterion = registry.load(Criterion, name)()
    torch.testing.assert_close(
        criterion.losses(logits.float(), labels, told(torch.full((3,), 50.0))),
        cross_entropy(logits.float(), labels),
    )


@pytest.mark.parametrize("gamma", [0.5, 1, 2])
def test_focal_is_as_published(tail, gamma):
    known, logits, labels, _ = tail
    losses = focal_loss(logits, labels, gamma)
    assert losses.mean().item() == pytest.approx(known["focal"][str(gamma)], abs=1e-12)
    if gamma == 2:
        expected = torch.tensor(known["focal_per_sample_gamma2"], dtype=torch.float64)
        torch.testing.assert_close(losses, expected)


def test_focal_of_a_sure_network_has_a_gradient():
    logits = torch.tensor([[200.0, 0, 0]], requires_grad=True)
    focal_loss(logits, torch.tensor([0]), 0.5).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_logit_adjustment_by_any_power(tail):
    known, logits, labels, counts = tail
    losses = LogitAdjustedCrossEntropy(tau=2).losses(logits.float(), labels, told(counts))
    assert losses.mean().item() == pytest.approx(known["logit_adjust_tau2_mean"], rel=1e-6)
    one = LogitAdjustedCrossEntropy().losses(logits.float(), labels, told(counts))
    assert torch.equal(one, BalancedSoftmax().losses(logits.float(), labels, told(counts)))


def test_ldam_is_as_published(tail):
    known, _, labels, counts = tail
    cosines = torch.tensor(known["ldam_cosine_logits"], dtype=torch.float64)
    margins = class_margins(counts.double(), 0.5)
    assert margins.tolist() == pytest.approx(known["ldam_margins"])
    losses = ldam_loss(30 * cosines, labels, margins, 30)
    expected = torch.tensor(known["ldam_s30_per_sample"], dtype=torch.float64)
    torch.testing.assert_close(losses, expected)
    late = LabelDistributionAwareMargin()
    weighted = late.losses(30 * cosines.float(), labels, told(counts, 8))
    weights = class_weights(counts, "effective-number", 0.9999)[labels]
    assert (weighted.sum() / weights.sum()).item() == pytest.approx(known["ldam_drw_s30"])
    early = late.losses(30 * cosines.float(), labels, told(counts, 7))
    torch.testing.assert_close(early.double(), expected)


def test_ldam_puts_cosines_into_the_network(squares, tmp_path):
    quick = {"epochs": 2, "image_size": 8, "batch_size": 8, "backbone": "tiny-cnn"}
    model = CrossEntropy(**quick, criterion="ldam").learn(squares)
    assert np.abs(model.logits(squares.images)).max() <= 30
    model.save(tmp_path / "model")
    again = NetworkModel.load(tmp_path / "model")
    np.testing.assert_array_equal(again.logits(squares.images), model.logits(squares.images))
    plain = CrossEntropy(**quick, criterion={"use": "ldam", "cosine": False}).learn(squares)
    assert type(plain.network.classifier) is torch.nn.Linear


def test_ldam_needs_a_linear_last_layer(squares):
    learner = CrossEntropy(epochs=1, image_size=32, backbone="squeezenet1_1", criterion="ldam")
    with pytest.raises(InputError, match="squeezenet1_1 cannot be cosines"):
        learner.learn(squares)


class Mean(Criterion):
    """Reduces, as the losses of torch do by default."""

    def losses(self, logits, targets, context):
        """Return one number for all."""
        return cross_entropy(logits, targets).mean()


@pytest.mark.parametrize("method", [CrossEntropy, CoTeaching, Mixup, LearningToReweight])
def test_one_number_for_a_batch_names_the_criterion(squares, method):
    with pytest.raises(ResultFault) as error:
        method(epochs=1, image_size=8, batch_size=40, criterion=Mean()).learn(squares)
    samples = 28 if method is LearningToReweight else 31
    assert str(error.value) == (
        f"the criterion Mean returned a tensor of shape () for {samples} samples: it must return "
        "one loss for each"
    )
