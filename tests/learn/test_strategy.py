import numpy as np
import torch

from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.strategy import PerSample, Step, Strategy, Switch

QUICK = TrainingConfig(image_size=8, epochs=4, batch_size=8)


def weights_of(model):
    return b"".join(value.numpy().tobytes() for value in model.network.state_dict().values())


class Counting(Strategy):
    """Says which hooks were called, and keeps a number."""

    def __init__(self):
        self.called, self.number = [], 0

    def begin(self, sampler, epochs):
        super().begin(sampler, epochs)
        self.called.append("begin")

    def begin_epoch(self, epoch, networks):
        self.called.append(f"epoch {epoch}")

    def loss(self, logits, batch, epoch):
        self.number += len(batch.rows)
        return super().loss(logits, batch, epoch)

    def after_update(self, networks):
        self.called.append("updated")

    def state_dict(self):
        return {"number": self.number}


def test_hooks_are_called_in_order(squares):
    strategy = Counting()
    train(squares, None, QUICK.model_copy(update={"epochs": 2, "batch_size": 16}), strategy)
    steps = ["updated"] * 2
    assert strategy.called == ["begin", "epoch 0", *steps, "epoch 1", *steps]


def test_the_defaults_are_plain_training(squares, learned):
    plain = CrossEntropy(**QUICK.model_dump()).learn(squares)
    assert learned(train(squares, None, QUICK, Strategy())) == learned(plain)


def test_until_the_switch_all_is_as_in_plain_training(squares):
    """One seed, and a method that draws and remembers once it has begun."""
    strategy = Counting()
    switched = train(squares, None, QUICK, Switch(strategy, 1))
    assert strategy.number == 0
    assert weights_of(switched) == weights_of(train(squares, None, QUICK, Strategy()))


def test_it_begins_at_its_part_of_the_epochs(squares):
    strategy = Counting()
    train(squares, None, QUICK, Switch(strategy, 0.5))
    assert strategy.number == 2 * 31
    steps = ["updated"] * 4
    assert strategy.called == ["begin", "epoch 2", *steps, "epoch 3", *steps]


def test_a_function_is_a_method(squares):
    model = train(squares, None, QUICK, PerSample(lambda logits, labels: logits.sum(dim=1) * 0))
    assert model.history[-1].loss > 0


class Reading(Strategy):
    """Notes logits of its own before each epoch, and none in the steps."""

    def begin_epoch(self, epoch, networks):
        training = networks[0].training
        self.seen = self.sampler.evaluate(networks[0])
        assert networks[0].training == training
        return self.seen

    def step(self, plan, networks, epoch):
        step = super().step(plan, networks, epoch)
        return Step(step.losses, step.rows, None)


def test_dynamics_of_a_pass_before_the_epoch(squares):
    strategy = Reading()
    model = train(squares, None, QUICK, strategy)
    correct = strategy.seen.argmax(dim=1).numpy() == squares.labels
    np.testing.assert_array_equal(model.dynamics.correct[:, -1], correct)


class Second(Strategy):
    """Trains the second of two networks alone."""

    n_networks = 2

    def step(self, plan, networks, epoch):
        batch = self.sampler.batch(plan.rows)
        logits = networks[1](batch.images)
        return Step(self.loss(logits, batch, epoch), batch.rows, logits)


def test_a_network_on_which_the_loss_does_not_depend_stays_as_it_is(squares):
    model = train(squares, None, QUICK, Second())
    again = train(squares, None, QUICK.model_copy(update={"epochs": 1}), Second())
    first, second = model.network.members
    assert torch.equal(first.classifier.weight, again.network.members[0].classifier.weight)
    assert not torch.equal(second.classifier.weight, again.network.members[1].classifier.weight)
