"""What every registered learner keeps to, whatever its method."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from adc_core.components.context import work_context
from adc_core.components.interfaces import Learner
from adc_core.components.registry import registry
from adc_core.errors import WorkError
from adc_plugins_learn.training.network_learner import NetworkLearner
from adc_plugins_learn.training.optimizer import build_optimizer
from adc_plugins_learn.training.schedule import learning_rate

sys.path.insert(0, str(Path(__file__).parent))  # finds quick_networks, as PYTHONPATH would

QUICK = {
    "backbone": "quick_networks:quick_cnn",
    "image_size": 8,
    "epochs": 4,
    "batch_size": 8,
    "checkpoint_minutes": 0,
}
VARIANTS = [
    ("bootstrap", {"target": "soft"}),
    ("cores", {"second_phase": 0.5}),
    ("dividemix", {"remembered_epochs": 2, "unlabeled_weight": 5}),
    ("dividemix", {"balanced_batches": 3, "unlabeled_blends": False}),
    ("elr-plus", {"ramp_steps": 10}),
    ("generalized-cross-entropy", {"truncation": 0.4}),
    ("label-distributionally-robust", {"adaptive": True}),
    ("logit-clip", {"official_code": True}),
    ("loss-reweighting", {"source": "frozen"}),
    ("mc-softmax", {"rank": 0}),
    ("mentormix", {"reweight": True}),
    ("mentornet", {"falloff": 0.5}),
    ("negative-label-smoothing", {"later_rate": 0.01}),
    ("peer-loss", {"later_rate": 0.001}),
    ("peer-loss", {"alpha_schedule": "uniform", "warm_up": 0, "reset_optimizer": True}),
    ("pes", {"refine_epochs": (1, 1), "refine_learning_rate": 0.01}),
    ("pes", {"refined_parts": (1,), "refine_epochs": (2,), "semi_supervised": True}),
    ("sop", {"consistency": 0.9, "balance": 0.1}),
    ("taylor-cross-entropy", {"variant": "smooth"}),
    ("taylor-cross-entropy", {"variant": "softmax"}),
]
"""Options that give a method another state or another way through."""

NAMES = sorted(entry.name for entry in registry.entries("learners"))
CASES = [*((name, {}) for name in NAMES), *VARIANTS]


def learner(name, **options):
    return registry.load(Learner, name)(**QUICK | options)


class StopError(Exception):
    pass


def stopped(learner, dataset, folder, step):
    def on_progress(done, total, unit):
        if done >= step:
            raise StopError

    with pytest.raises(StopError), work_context(folder, on_progress):
        learner.learn(dataset)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_interrupted_it_ends_with_the_same_bytes(squares, learned, tmp_path, name, options):
    """Stopped in the third epoch of four, and again in the last."""
    uninterrupted = learner(name, **options).learn(squares)
    for step in (10, 14):
        stopped(learner(name, **options), squares, tmp_path, step)
    told = []
    with work_context(tmp_path, lambda done, *_: told.append(done)):
        model = learner(name, **options).learn(squares)
    assert told[0] > 12  # no finished epoch is done again
    assert learned(model) == learned(uninterrupted)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_it_learns_what_has_no_noise_and_notes_what_it_saw(squares, name, options):
    before = torch.get_rng_state()
    recipe = {"epochs": 12, "learning_rate": 0.006, "seed": 1}
    if name == "pes":  # of the quick network's two stages it would train both anew
        recipe |= {"backbone": "small-cnn", "learning_rate": 0.01, "seed": 0}
    model = learner(name, **recipe | options).learn(squares)
    assert np.mean(model.predict(squares.images).labels == squares.labels) > 0.9
    dynamics = model.dynamics
    assert dynamics.loss.shape == (31, 12)
    assert (dynamics.given_probability > 0).all()
    assert model.history[-1].loss < model.history[0].loss
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("samples", [2, 25])
def test_a_class_that_nobody_has_and_a_last_batch_of_one(squares, name, samples):
    """Of 25 samples in eights one is over; maps of one pixel BatchNorm cannot normalize alone."""
    dataset = squares.take(np.arange(samples)).replace(classes=("red", "green", "blue", "none"))
    model = learner(name, epochs=3).learn(dataset)
    assert model.predict(squares.images).probabilities.shape == (31, 4)
    assert model.dynamics.loss.shape == (samples, 3)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_training_that_diverges(squares, name, options):
    update = {"learning_rate": 1e35, "schedule": "constant", "later_rate": None}
    diverging = learner(name, **options).model_copy(update=update)
    with pytest.raises(WorkError) as error:
        diverging.learn(squares)
    assert re.fullmatch(
        r"the loss is not a number in epoch \d: lower learning_rate \(now 1e\+35\)",
        str(error.value),
    )


@pytest.mark.parametrize("name", NAMES)
def test_out_of_memory(squares, name):
    with pytest.raises(WorkError) as error:
        learner(name, image_size=1 << 20).learn(squares)
    assert str(error.value) == "out of memory with batch_size 8: lower batch_size or image_size"


@pytest.mark.parametrize("name", NAMES)
def test_preset_of_the_paper(name):
    made = registry.load(Learner, name)(preset="adc", device="cpu")
    assert isinstance(made, NetworkLearner)
    assert (made.backbone, made.weights, made.image_size) == ("resnet50", "IMAGENET1K_V1", 256)
    assert (made.epochs, made.batch_size) == (20, 64)
    assert Learner.model_validate(made.model_dump(exclude_defaults=True)) == made


@pytest.mark.parametrize("name", NAMES)
def test_preset_of_cifar_n(name):
    made = registry.load(Learner, name)(preset="cifar-n", device="cpu")
    assert made.backbone in ("resnet34-cifar", "preact-resnet18")
    assert (made.image_size, made.max_translation, made.horizontal_flip) == (32, 4, True)
    assert made.epochs >= 100
    assert Learner.model_validate(made.model_dump(exclude_defaults=True)) == made


def test_cross_entropy_is_trained_as_in_cifar_ns_code():
    made = registry.load(Learner, "cross-entropy")(preset="cifar-n")
    rates = [learning_rate(made, epoch) for epoch in range(made.epochs)]
    assert rates == pytest.approx([0.1] * 60 + [0.01] * 40)
    (group,) = build_optimizer([torch.nn.Parameter(torch.zeros(1))], made).param_groups
    assert (group["momentum"], group["nesterov"], group["weight_decay"]) == (0.9, False, 5e-4)
    assert made.batch_size == 128


def test_a_preset_leaves_the_options_of_its_optimizer_to_that():
    made = registry.load(Learner, "cross-entropy")(preset="cifar-n", optimizer="adamw")
    assert made.optimizer_options == {}


def test_what_a_preset_sets_may_be_set_otherwise():
    made = registry.load(Learner, "cross-entropy")(preset="adc", epochs=10)
    assert (made.epochs, made.learning_rate) == (10, 0.01)
    written = made.model_dump(exclude_defaults=True)
    assert "epochs" not in written  # ten is the default without the preset
    assert Learner.model_validate(written).epochs == 10
