import math

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from adc_plugins_learn.learners.peer_loss import PeerLoss, PeerStrategy, alpha_at, peer_loss
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.schedule import learning_rate


@pytest.mark.parametrize(("alpha", "epsilon"), [("1.0", "0.0"), ("0.5", "0.0"), ("1.0", "1e-05")])
def test_vectors(known, alpha, epsilon):
    case = known("peer_loss", f"alpha={alpha},eps={epsilon}")
    case.agrees(peer_loss(case.Z, case.y, case.ZP, case.yp, float(alpha), float(epsilon)))


def test_identities(known):
    case = known()
    plain = cross_entropy(case.Z, case.y).mean()
    alone = peer_loss(case.Z, case.y, case.ZP, case.yp, 0, 0)
    assert alone.item() == pytest.approx(plain.item())
    assert peer_loss(case.Z, case.y, case.Z, case.y).item() == pytest.approx(0, abs=1e-12)


def test_a_peer_probability_of_zero_is_bounded():
    sure = torch.tensor([[200.0, 0], [200, 0]], requires_grad=True)
    loss = peer_loss(sure, torch.tensor([0, 0]), sure, torch.tensor([1, 1]))
    assert loss.item() == pytest.approx(-11.513, abs=1e-3)
    loss.backward()
    assert torch.isfinite(sure.grad).all()


def test_images_and_labels_of_peers_are_drawn_independently(squares):
    """Of 31 samples, an image meets its own label in one draw of 31, or by chance in a third."""
    seen = []

    class Recording(PeerStrategy):
        def begin(self, sampler, epochs):
            super().begin(sampler, epochs)
            drawn = sampler.sample_with_replacement

            def drawing(count):
                seen.append(drawn(count))
                return seen[-1]

            sampler.sample_with_replacement = drawing

    train(
        squares,
        None,
        TrainingConfig(image_size=12, epochs=12, batch_size=31),
        Recording(peer_loss),
    )
    images, labels = torch.cat(seen[::2]), torch.cat(seen[1::2])
    assert len(images) == 12 * 31
    assert 0 < (images == labels).float().mean() < 0.1
    assert len(images.unique()) == len(labels.unique()) == 31


def test_preset_of_the_paper():
    learner = PeerLoss(preset="adc", device="cpu")
    assert (learner.warm_up, learner.later_rate, learner.alpha) == (0.5, 1e-6, 1)


def test_preset_of_the_official_code():
    learner = PeerLoss(preset="cifar-n", device="cpu")
    assert (learner.warm_up, learner.alpha_schedule, learner.reset_optimizer) == (0, "sparse", True)
    rates = [learning_rate(learner, epoch) for epoch in range(300)]
    plan = [10.0 ** -(1 + epoch // 40) for epoch in range(300)]
    assert rates == pytest.approx(plan)


@pytest.mark.parametrize("schedule", ["sparse", "uniform"])
def test_alpha_of_the_official_code(known, schedule):
    plan = known().schedules[f"peer_alpha_{schedule}"]["at"]
    found = [alpha_at(int(epoch), 300, schedule) for epoch in plan]
    assert found == pytest.approx([*plan.values()])
    # Of any other number of epochs the same parts.
    assert alpha_at(14, 30, schedule) == alpha_at(140, 300, schedule)
    assert alpha_at(1, 2, schedule) == alpha_at(150, 300, schedule)


def test_constant_alpha():
    assert {alpha_at(epoch, 5, "constant") for epoch in range(5)} == {1}


@pytest.fixture
def steps():
    """The learning rate of each step, and for how many parameters there was momentum before it."""
    used = []

    def note(optimizer, *_):
        had = sum("momentum_buffer" in state for state in optimizer.state.values())
        used.append((optimizer.param_groups[0]["lr"], had))

    hook = register_optimizer_step_pre_hook(note)
    yield used
    hook.remove()


def learn(dataset, **options):
    PeerLoss(**{"image_size": 8, "epochs": 4, "batch_size": 8, "warm_up": 0.5} | options).learn(
        dataset
    )


def test_learning_rate_after_the_warm_up(squares, steps):
    learn(squares, later_rate=1e-6)
    before = [0.05 * (1 + math.cos(math.pi * step / 16)) / 2 for step in range(8)]
    assert [rate for rate, _ in steps] == pytest.approx([*before, *[1e-6] * 8])


def test_drops_of_the_later_rate(squares, steps):
    learn(squares, epochs=5, later_rate=0.01, later_milestones=(3, 4), step_factor=0.1)
    assert [rate for rate, _ in steps[8::4]] == pytest.approx([0.01, 0.001, 0.0001])


def test_a_rising_alpha_divides_the_learning_rate(squares, steps):
    learn(squares, warm_up=0, schedule="constant", alpha_schedule="sparse", alpha=2)
    alphas = [2 * alpha_at(epoch, 4, "sparse") for epoch in range(4)]
    assert alphas[0] == 0
    assert alphas[3] > 15
    assert [rate for rate, _ in steps[::4]] == pytest.approx([0.05 / (1 + a) for a in alphas])


def test_a_rising_alpha_weighs_the_peers(squares, known):
    case = known()
    learner = PeerLoss(alpha_schedule="uniform", alpha=2, warm_up=0)
    strategy = learner.strategy(squares).then
    strategy.epochs = 30
    strategy.begin_epoch(14, [])
    found = strategy.function(case.Z, case.y, case.ZP, case.yp)
    expected = peer_loss(case.Z, case.y, case.ZP, case.yp, 2 * alpha_at(14, 30, "uniform"))
    assert found == expected


def test_a_new_optimizer_in_each_epoch_after_the_warm_up(squares, steps):
    learn(squares, reset_optimizer=True)
    had = [before > 0 for _, before in steps]
    assert had == [False, *[True] * 7, *[False, True, True, True] * 2]
