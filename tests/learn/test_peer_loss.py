import math

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from adc_plugins_learn.learners.peer_loss import PeerLoss, PeerStrategy, peer_loss
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.parts import cross_entropy


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
        Recording(peer_loss, None),
    )
    images, labels = torch.cat(seen[::2]), torch.cat(seen[1::2])
    assert len(images) == 12 * 31
    assert 0 < (images == labels).float().mean() < 0.1
    assert len(images.unique()) == len(labels.unique()) == 31


def test_preset_of_the_paper():
    learner = PeerLoss(preset="adc", device="cpu")
    assert (learner.warm_up, learner.later_rate, learner.alpha) == (0.5, 1e-6, 1)


def test_learning_rate_after_the_warm_up(squares):
    used = []
    hook = register_optimizer_step_pre_hook(
        lambda optimizer, *_: used.append(optimizer.param_groups[0]["lr"])
    )
    try:
        PeerLoss(image_size=8, epochs=4, batch_size=8, warm_up=0.5, later_rate=1e-6).learn(squares)
    finally:
        hook.remove()
    before = [0.05 * (1 + math.cos(math.pi * step / 16)) / 2 for step in range(8)]
    assert used == pytest.approx([*before, *[1e-6] * 8])
