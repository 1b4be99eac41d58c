import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from adc_plugins_learn.learners.co_teaching import CoTeaching, co_teaching_losses
from adc_plugins_learn.methods.small_loss_pair import forget_rate_at, small_loss_rows
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
    assert len(small_loss_rows(torch.arange(float(count)), rate)) == kept


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
