import pytest
import torch

from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.schedule import build_optimizer, decay_start, learning_rate


def rates(config):
    return [learning_rate(config, epoch) for epoch in range(config.epochs)]


def test_steps_of_the_paper(known):
    config = TrainingConfig(epochs=20, learning_rate=0.01, schedule="step")
    assert rates(config) == pytest.approx(known().schedules["adc_step_lr"]["lr_all"])


def test_linear_decay(known):
    plans = known().schedules
    config = TrainingConfig(epochs=20, learning_rate=1e-4, schedule="linear", decay_from=0.25)
    assert rates(config) == pytest.approx(plans["adam_plan_adc"]["lr_all"])
    config = TrainingConfig(epochs=200, learning_rate=1e-3, schedule="linear")
    official = plans["adam_plan_official"]["lr_at"]
    assert decay_start(config) == 80
    assert [rates(config)[int(epoch)] for epoch in official] == pytest.approx(
        [*official.values()], rel=1e-4
    )


def test_within_an_epoch_only_the_cosine_moves():
    for schedule, moves in [("cosine", True), ("step", False), ("linear", False)]:
        config = TrainingConfig(epochs=4, schedule=schedule)
        assert (learning_rate(config, 2.9) < learning_rate(config, 2)) == moves
    assert learning_rate(TrainingConfig(schedule="constant"), 9.9) == 0.05


@pytest.mark.parametrize(("name", "kind"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)])
def test_optimizers(name, kind):
    config = TrainingConfig(optimizer=name, momentum=0.8, weight_decay=0.01)
    optimizer = build_optimizer([torch.nn.Parameter(torch.zeros(2))], config)
    (group,) = optimizer.param_groups
    assert type(optimizer) is kind
    assert group["weight_decay"] == 0.01
    assert group["momentum" if name == "sgd" else "betas"] == (
        0.8 if name == "sgd" else (0.8, 0.999)
    )
