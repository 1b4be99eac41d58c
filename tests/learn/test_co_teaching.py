import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from adc_plugins_learn.learners.co_teaching import CoTeaching, co_teaching_losses
from adc_plugins_learn.methods.small_loss_pair import (
    forget_rate_at,
    small_loss_rows,
    small_loss_rows_of_each_class,
)
from adc_plugins_learn.training.parts import cross_entropy


@pytest.mark.parametrize("rate", [0.5, 0.2])
def test_vectors(known, rate):
    for number, name in enumerate(("Z", "Z2")):
        case = known("co_teaching", f"net{number + 1},forget={rate}")
        case.agrees(co_teaching_losses(case.Z, case.Z2, case.y, rate)[number])
        assert getattr(case, {"Z": "Z2", "Z2": "Z"}[name]).grad is None


def test_each_learns_from_what_the_other_picked(known):
    case = known("co_teaching", "net1,forget=0.5")
    co_teaching_losses(case.Z, case.Z2, case.y, 0.5)[0].backward()
    picked = case.expected["picked_by_net2"]
    assert case.Z.grad.abs().sum(dim=1).nonzero()[:, 0].tolist() == picked


def test_without_forgetting_it_is_cross_entropy(known):
    case = known()
    first, second = co_teaching_losses(case.Z, case.Z2, case.y, 0)
    assert first.item() == pytest.approx(cross_entropy(case.Z, case.y).mean().item())
    assert second.item() == pytest.approx(cross_entropy(case.Z2, case.y).mean().item())


@pytest.mark.parametrize(
    ("rate", "count", "kept"), [(0.2, 128, 102), (0.5, 128, 64), (0.9, 10, 1), (0, 3, 3)]
)
def test_one_row_at_least_is_kept(rate, count, kept):
    assert len(small_loss_rows(torch.arange(float(count)), torch.zeros(count), rate)) == kept


def test_forget_rate(known):
    plans = known().schedules
    official = plans["forget_rate_official"]["epochs_0_to_11"]
    assert [forget_rate_at(e, 0.2, 10) for e in range(12)] == pytest.approx(official)
    paper = plans["forget_rate_adc_20"]["all"]
    assert [forget_rate_at(e, 0.3, 10) for e in range(20)] == pytest.approx(paper)
    assert [forget_rate_at(e, 0.3, 1) for e in range(2)] == [0, 0.3]


def test_plan_of_the_paper(known, squares):
    used = []
    hook = register_optimizer_step_pre_hook(
        lambda optimizer, *_: used.append(
            (optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["betas"][0])
        )
    )
    small = {"backbone": "small-cnn", "weights": "random", "image_size": 8, "device": "cpu"}
    try:
        CoTeaching(preset="adc", **small).learn(squares)
    finally:
        hook.remove()
    plan = known().schedules["adam_plan_adc"]
    assert [rate for rate, _ in used] == pytest.approx(plan["lr_all"])
    assert [beta for _, beta in used] == pytest.approx(plan["beta1_all"])


def test_networks_start_apart_and_vote_together(squares):
    model = CoTeaching(image_size=12, epochs=1, batch_size=8).learn(squares)
    first, second = model.network.members
    assert not torch.equal(first.classifier.weight, second.classifier.weight)
    together = model.predict(squares.images).probabilities
    alone = []
    for member in (first, second):
        model.network = member
        alone.append(model.predict(squares.images).probabilities)
    np.testing.assert_allclose(together, np.mean(alone, axis=0), atol=1e-6)


def test_each_label_keeps_its_part():
    labels = torch.tensor([0] * 8 + [1] * 4)
    losses = torch.cat([torch.arange(8.0), 100 - torch.arange(4.0)])
    assert small_loss_rows(losses, labels, 0.5).tolist() == [0, 1, 2, 3, 4, 5]
    kept = small_loss_rows_of_each_class(losses, labels, 0.5)
    assert sorted(kept.tolist()) == [0, 1, 2, 3, 10, 11]


def test_with_one_label_both_choices_are_the_same():
    losses = torch.rand(20, generator=torch.Generator().manual_seed(0))
    labels = torch.full((20,), 3)
    both = [rule(losses, labels, 0.3) for rule in (small_loss_rows, small_loss_rows_of_each_class)]
    assert torch.equal(*both)


def test_a_sample_alone_with_its_label_is_kept_unless_most_are_forgotten():
    labels = torch.tensor([0] * 9 + [1])
    losses = torch.cat([torch.arange(9.0), torch.tensor([99.0])])
    assert 9 in small_loss_rows_of_each_class(losses, labels, 0.4)
    assert 9 not in small_loss_rows_of_each_class(losses, labels, 0.6)
