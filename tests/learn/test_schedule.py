import pytest
import torch
from pydantic import ValidationError

from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.schedule import decay_start, learning_rate


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


def torchs(make, config, steps):
    """Rates of a scheduler of torch, stepped once an epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=config.learning_rate)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return found


def test_milestones_are_torchs():
    config = TrainingConfig(epochs=9, schedule="milestones", milestones=[7, 3], step_factor=0.1)
    lr = torch.optim.lr_scheduler
    assert rates(config) == pytest.approx(
        torchs(lambda o: lr.MultiStepLR(o, [3, 7], gamma=0.1), config, 9)
    )


def test_restarts_are_torchs():
    """ELR's official schedule, also between epochs."""
    config = TrainingConfig(
        epochs=25, learning_rate=0.02, restart_epochs=10, final_learning_rate=1e-3
    )
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.02)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 10, eta_min=1e-3)
    optimizer.step()
    for done in (0, 0.5, 4, 9.75, 10, 10.25, 19.9, 24):
        scheduler.step(done)
        assert learning_rate(config, done) == pytest.approx(scheduler.get_last_lr()[0])


def test_the_cosine_falls_to_the_final_rate():
    config = TrainingConfig(epochs=8, final_learning_rate=0.01)
    lr = torch.optim.lr_scheduler
    assert rates(config) == pytest.approx(
        torchs(lambda o: lr.CosineAnnealingLR(o, 8, eta_min=0.01), config, 8)
    )


def test_any_schedule_ramps_up_as_torchs_linear_one():
    lr = torch.optim.lr_scheduler
    config = TrainingConfig(epochs=9, schedule="constant", ramp_up_epochs=4)
    linear = torchs(lambda o: lr.LinearLR(o, 1e-12, total_iters=4), config, 9)
    assert rates(config) == pytest.approx(linear, abs=1e-9)
    for schedule in ("cosine", "step", "linear"):
        ramped = TrainingConfig(epochs=9, schedule=schedule, ramp_up_epochs=4)
        plain = TrainingConfig(epochs=9, schedule=schedule)
        parts = [0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
        assert rates(ramped) == pytest.approx(
            [rate * part for rate, part in zip(rates(plain), parts, strict=True)]
        )


def test_milestones_without_any():
    with pytest.raises(ValidationError) as error:
        TrainingConfig(schedule="milestones")
    (fault,) = error.value.errors()
    assert fault["loc"] == ("milestones",)
    assert fault["msg"] == (
        "Value error, schedule: milestones needs them: write milestones: [60, 80]"
    )
