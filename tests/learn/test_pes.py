import itertools

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from adc_plugins_learn.learners.pes import ProgressiveEarlyStopping, agreeing_rows
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.networks.backbones import SmallCNN
from adc_plugins_learn.training.parts import Sampler

QUICK = {
    "image_size": 12,
    "epochs": 8,
    "batch_size": 8,
    "backbone": "tiny-cnn",
    "warm_up": 0.25,
    "refine_epochs": (1, 2),
}
"""Two epochs of everything, one of two parts, two of one, three of chosen labels."""


class NoneOf(Sampler):
    """Leaves out the samples of a label."""

    label: int

    def draw(self, labels, context, generator):
        """Draw the others, in order."""
        return (labels != self.label).nonzero()[:, 0]


def test_agreeing_rows():
    p = torch.tensor([[0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    assert agreeing_rows(p, torch.tensor([0, 0, 1])).tolist() == [0, 2]


def weights_by_epoch(dataset, **options):
    """The weights of the network before each epoch, and at the end."""
    learner = ProgressiveEarlyStopping(**QUICK | options)
    strategy, seen = learner.strategy(dataset), []
    begin, end = strategy.begin_epoch, strategy.end_epoch

    def weights(networks):
        return {name: value.clone() for name, value in networks[0].named_parameters()}

    def beginning(epoch, networks):
        logits = begin(epoch, networks)
        seen.append([weights(networks)])
        return logits

    def ending(epoch, networks, accuracy):
        seen[-1].append(weights(networks))
        end(epoch, networks, accuracy)

    strategy.begin_epoch, strategy.end_epoch = beginning, ending
    train(dataset, None, learner, strategy)
    return seen


def changed(first, second):
    return {
        name.removesuffix(".weight").removesuffix(".bias")
        for name in first
        if not torch.equal(first[name], second[name])
    }


LAST = {"classifier"}
TWO = {"classifier", "features.2.0", "features.2.1"}
ALL = TWO | {f"features.{block}.{layer}" for block in (0, 1) for layer in (0, 1)}


def test_what_is_trained_in_each_epoch(squares):
    epochs = weights_by_epoch(squares)
    assert [changed(*epoch) for epoch in epochs] == [ALL, ALL, TWO, LAST, LAST, ALL, ALL, ALL]
    between = [changed(a[1], b[0]) for a, b in itertools.pairwise(epochs)]
    # Renewed: a normalization's numbers at the start are the same for all.
    assert [names >= LAST for names in between] == [False, True, True, *[False] * 4]
    assert "features.2.0" in between[1]
    assert between[2] == LAST


def test_the_last_layer_learns_alone_while_the_backbone_is_frozen(squares):
    epochs = weights_by_epoch(squares, freeze_backbone=0.125)
    assert [changed(*epoch) for epoch in epochs[:3]] == [LAST, ALL, TWO]


def test_frozen_for_longer_than_the_warm_up():
    with pytest.raises(ValidationError) as error:
        ProgressiveEarlyStopping(warm_up=0.2, freeze_backbone=0.5)
    assert (
        "freeze_backbone lasts longer than warm_up, after which other parts are trained anew: "
        "lower it"
    ) in str(error.value)


class Narrow(SmallCNN):
    """A network of the user's."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__(classes, width)


def test_parts_of_a_network_with_arguments_are_built_anew_with_them(squares):
    own = {"backbone": Narrow, "backbone_options": {"width": 3}}
    model = ProgressiveEarlyStopping(**QUICK | own).learn(squares)
    assert model.network.classifier.in_features == 12


def test_images_without_labels_are_not_sampled_by_labels(squares):
    learner = ProgressiveEarlyStopping(**QUICK, semi_supervised=True, sampler=NoneOf(label=0))
    strategy = learner.strategy(squares)
    train(squares, None, learner, strategy)
    rest = torch.arange(20)  # of all labels
    strategy._chosen = torch.arange(20, 31)
    plans = strategy.plan_epoch(7)
    assert (squares.labels[torch.cat([plan.rows for plan in plans])] != 0).all()
    assert {int(row) for plan in plans for row in plan.extra_rows} <= set(rest.tolist())
    assert (squares.labels[torch.cat([plan.extra_rows for plan in plans])] == 0).any()


def test_adam_refines_at_its_own_rate(squares):
    """Its first step is as long as the rate, for each number with a gradient."""
    epochs = weights_by_epoch(
        squares, refine_learning_rate=1e-5, learning_rate=0.5, batch_size=31, weight_decay=0.1
    )
    before, after = epochs[3]
    step = (after["classifier.weight"] - before["classifier.weight"]).abs().max().item()
    assert step == pytest.approx(1e-5, rel=0.05)


def noisy(squares):
    """Every fourth label is wrong."""
    labels = squares.labels.copy()
    labels[::4] = (labels[::4] + 1) % 3
    return squares.replace(labels=labels)


@pytest.mark.parametrize("semi_supervised", [False, True])
def test_labels_that_the_network_agrees_with_are_learned(squares, semi_supervised):
    dataset = noisy(squares)
    wrong = dataset.labels != squares.labels
    learner = ProgressiveEarlyStopping(
        **QUICK | {"epochs": 12, "refine_epochs": (3, 3)},
        learning_rate=0.01,
        refine_learning_rate=0.01,
        semi_supervised=semi_supervised,
    )
    strategy = learner.strategy(dataset)
    model = train(dataset, None, learner, strategy)
    chosen = np.zeros(31, bool)
    chosen[strategy._chosen] = True
    assert chosen[~wrong].mean() > 0.9
    assert chosen[wrong].mean() < 0.3
    plans = strategy.plan_epoch(11)
    rows = torch.cat([plan.rows for plan in plans]).numpy()
    assert chosen[rows].all()
    if semi_supervised:
        others = torch.cat([plan.extra_rows for plan in plans]).numpy()
        assert not chosen[others].any()
        assert len(plans) == 31 // 8
    assert np.mean(model.predict(squares.images).labels == squares.labels) > 0.9
    assert np.isfinite(model.dynamics.loss).all()


def test_where_the_network_agrees_with_no_label_all_are_learned(squares):
    learner = ProgressiveEarlyStopping(**QUICK)
    strategy = learner.strategy(squares)
    train(squares, None, learner, strategy)

    class Contrary(torch.nn.Module):
        """Whatever the images, a class that nobody has."""

        def forward(self, images):
            return torch.tensor([[0.0, 0, 0, 9]]).expand(len(images), 4)

    strategy._choose(Contrary())
    assert len(strategy._chosen) == 31


def test_times_without_parts():
    with pytest.raises(ValidationError) as error:
        ProgressiveEarlyStopping(refined_parts=(2, 1), refine_epochs=(3,))
    assert "refined_parts and refine_epochs must be of one length" in str(error.value)


def test_preset_of_the_official_code():
    learner = ProgressiveEarlyStopping(preset="cifar-n", device="cpu")
    assert round(learner.warm_up * learner.epochs) == 20
    assert (learner.refined_parts, learner.refine_epochs) == ((1,), (5,))
    assert (learner.semi_supervised, learner.unlabeled_weight) == (True, 5)
