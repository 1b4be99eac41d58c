import pytest
import torch

from adc_plugins_learn.learners.f_divergence import DIVERGENCES, FDivergence, f_divergence_loss


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_vectors(known, divergence):
    case = known("f_div", divergence.replace("-", "_"))
    case.agrees(f_divergence_loss(case.Z, case.y, case.ZP, case.yp, divergence))


@pytest.mark.parametrize(
    ("name", "conjugate"),
    [
        ("jensen-shannon", lambda t: -(2 - t.exp()).log()),
        ("squared-hellinger", lambda t: t / (1 - t)),
    ],
)
def test_the_second_function_is_the_conjugate_of_the_first(name, conjugate):
    g, h = DIVERGENCES[name]
    v = torch.linspace(0, 1, 101, dtype=torch.float64)
    torch.testing.assert_close(h(v), conjugate(g(v)))


def test_peers_like_the_batch_leave_nothing(known):
    case = known()
    assert f_divergence_loss(case.Z, case.y, case.Z, case.y).item() == 0


@pytest.mark.parametrize("divergence", list(DIVERGENCES)[:5])
def test_agreeing_with_the_label_makes_it_smaller(known, divergence):
    case = known()
    f_divergence_loss(case.Z, case.y, case.ZP, case.yp, divergence).backward()
    assert (case.Z.grad.gather(1, case.y[:, None]) < 0).all()


def test_preset_of_the_official_code(squares):
    learner = FDivergence(preset="cifar-n", device="cpu")
    switch, used = learner.strategy(squares), []

    class Optimizer:
        param_groups = [{"lr": None}]  # noqa: RUF012
        state = {}  # noqa: RUF012

    for epoch in (200, 229, 230, 259, 260, 290, 299):
        switch.then.tune(Optimizer, 1, epoch)
        used.append(Optimizer.param_groups[0]["lr"])
    assert used == pytest.approx([0.01, 0.01, 1e-3, 1e-3, 1e-4, 1e-5, 1e-5])
    assert round(learner.warm_up * learner.epochs) == 200
    assert learner.milestones == (60, 120, 180)
