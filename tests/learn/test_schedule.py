import pytest
import torch

from adc_plugins_learn.training.config import Recipe
from adc_plugins_learn.training.schedule import build_optimizer, decay_start, learning_rate


def rates(recipe):
    return [learning_rate(recipe, epoch) for epoch in range(recipe.epochs)]


def test_steps_of_the_paper(known):
    recipe = Recipe(epochs=20, learning_rate=0.01, schedule="step")
    assert rates(recipe) == pytest.approx(known().schedules["adc_step_lr"]["lr_all"])


def test_linear_decay(known):
    plans = known().schedules
    recipe = Recipe(epochs=20, learning_rate=1e-4, schedule="linear", decay_from=0.25)
    assert rates(recipe) == pytest.approx(plans["adam_plan_adc"]["lr_all"])
    recipe = Recipe(epochs=200, learning_rate=1e-3, schedule="linear")
    official = plans["adam_plan_official"]["lr_at"]
    assert decay_start(recipe) == 80
    assert [rates(recipe)[int(epoch)] for epoch in official] == pytest.approx(
        [*official.values()], rel=1e-4
    )


def test_within_an_epoch_only_the_cosine_moves():
    for schedule, moves in [("cosine", True), ("step", False), ("linear", False)]:
        recipe = Recipe(epochs=4, schedule=schedule)
        assert (learning_rate(recipe, 2.9) < learning_rate(recipe, 2)) == moves
    assert learning_rate(Recipe(schedule="constant"), 9.9) == 0.05


@pytest.mark.parametrize(("name", "kind"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)])
def test_optimizers(name, kind):
    recipe = Recipe(optimizer=name, momentum=0.8, weight_decay=0.01)
    optimizer = build_optimizer([torch.nn.Parameter(torch.zeros(2))], recipe)
    (group,) = optimizer.param_groups
    assert type(optimizer) is kind
    assert group["weight_decay"] == 0.01
    assert group["momentum" if name == "sgd" else "betas"] == (
        0.8 if name == "sgd" else (0.8, 0.999)
    )
