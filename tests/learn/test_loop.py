import math
import sys

import numpy as np
import pytest
import torch
from adc_process import run_program
from PIL import Image
from torch.optim.optimizer import register_optimizer_step_pre_hook

from adc_core.components.context import work_context
from adc_core.errors import InputError, WorkError
from adc_core.images.sequence import ImageFiles
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.config import TrainingConfig
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.parts import cross_entropy
from adc_plugins_learn.training.strategy import Strategy

QUICK = TrainingConfig(image_size=12, epochs=2, batch_size=8)


class Plain(Strategy):
    """Cross-entropy that remembers what it was given."""

    def __init__(self):
        self.seen = []

    def loss(self, logits, batch, epoch):
        self.seen.append((epoch, logits.detach(), batch))
        return cross_entropy(logits, batch.labels)


def trained(dataset, config=QUICK, strategy=None, validation=None):
    return train(dataset, validation, config, strategy or Plain())


def test_it_learns(squares):
    model = trained(squares, QUICK.model_copy(update={"epochs": 6}))
    assert model.history[0].loss > model.history[-1].loss
    assert np.mean(model.predict(squares.images).labels == squares.labels) == 1


def test_every_sample_is_seen_once_an_epoch(squares):
    strategy = Plain()
    trained(squares, strategy=strategy)
    orders = [
        torch.cat([batch.rows for at, _, batch in strategy.seen if at == epoch]).tolist()
        for epoch in range(2)
    ]
    assert [sorted(order) for order in orders] == [list(range(31))] * 2
    assert orders[0] != orders[1]
    for _, _, batch in strategy.seen:
        assert batch.labels.tolist() == squares.labels[batch.rows].tolist()
        assert batch.images.shape == (len(batch.rows), 3, 12, 12)


def test_dynamics_are_those_of_the_steps(squares):
    strategy = Plain()
    model = trained(squares, strategy=strategy)
    for epoch, logits, batch in strategy.seen:
        rows = batch.rows.numpy()
        losses = cross_entropy(logits.double(), batch.labels)
        np.testing.assert_allclose(model.dynamics.loss[rows, epoch], losses, rtol=1e-4, atol=1e-6)
        right = logits.argmax(dim=1) == batch.labels
        np.testing.assert_array_equal(model.dynamics.correct[rows, epoch], right)
    assert [epoch.loss for epoch in model.history] == pytest.approx(
        model.dynamics.loss.mean(axis=0), rel=1e-5
    )


@pytest.mark.parametrize(
    ("samples", "batch_size", "sizes"),
    [(31, 10, [10, 10, 11]), (31, 16, [16, 15]), (3, 2, [3]), (2, 2, [2]), (5, 64, [5])],
)
def test_no_batch_has_a_single_sample(squares, samples, batch_size, sizes):
    """BatchNorm cannot normalize one image whose maps have shrunk to one pixel."""
    strategy = Plain()
    dataset = squares.take(np.arange(samples))
    config = TrainingConfig(backbone="resnet18", image_size=12, epochs=1, batch_size=batch_size)
    trained(dataset, config, strategy)
    assert [len(batch.rows) for _, _, batch in strategy.seen] == sizes


def test_a_class_without_samples(squares):
    dataset = squares.replace(classes=("red", "green", "blue", "none"))
    model = trained(dataset)
    assert model.predict(squares.images).probabilities.shape == (31, 4)
    assert [epoch.epoch for epoch in model.history] == [1, 2]


def test_one_epoch(squares):
    model = trained(squares, QUICK.model_copy(update={"epochs": 1}))
    assert model.dynamics.loss.shape == (31, 1)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", [0.05] * 8),
        ("cosine", [0.05 * (1 + math.cos(math.pi * step / 8)) / 2 for step in range(8)]),
    ],
)
def test_learning_rate_of_each_step(squares, schedule, rates):
    used = []
    hook = register_optimizer_step_pre_hook(
        lambda optimizer, *_: used.append(optimizer.param_groups[0]["lr"])
    )
    try:
        trained(squares, QUICK.model_copy(update={"schedule": schedule}))
    finally:
        hook.remove()
    assert used == pytest.approx(rates)


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({"max_translation": 0, "horizontal_flip": False}, False),
        ({"max_translation": 1, "horizontal_flip": False}, True),
        ({"max_translation": 0, "horizontal_flip": True}, True),
    ],
)
def test_augmentation_differs_from_epoch_to_epoch(squares, options, changes):
    strategy = Plain()
    trained(squares, QUICK.model_copy(update=options), strategy)
    epochs = [torch.empty(31, 3, 12, 12) for _ in range(2)]
    for epoch, _, batch in strategy.seen:
        epochs[epoch][batch.rows] = batch.images
    assert torch.equal(*epochs) != changes


@pytest.mark.parametrize("backbone", ["small-cnn", "mobilenet_v2"])
def test_one_seed_gives_the_same_bytes_twice(squares, learned, backbone):
    config = QUICK.model_copy(update={"backbone": backbone, "image_size": 16})
    first = learned(trained(squares, config))
    torch.rand(7)  # what others drew from the global generator does not matter
    assert learned(trained(squares, config)) == first
    assert learned(trained(squares, config.model_copy(update={"seed": 1}))) != first


def test_several_threads_give_the_same_bytes_twice(squares, learned):
    torch.set_num_threads(2)
    try:
        config = QUICK.model_copy(update={"image_size": 32, "batch_size": 31})
        assert learned(trained(squares, config)) == learned(trained(squares, config))
    finally:
        torch.set_num_threads(1)


def test_the_global_generator_is_left_as_it_was(squares):
    before = torch.get_rng_state()
    trained(squares, QUICK.model_copy(update={"backbone": "mobilenet_v2", "image_size": 16}))
    assert torch.equal(torch.get_rng_state(), before)


def test_inputs_stay_as_they_are_and_may_be_read_only(squares, tmp_path, learned):
    np.save(tmp_path / "pixels.npy", squares.images.array)
    mapped = squares.replace(images=np.load(tmp_path / "pixels.npy", mmap_mode="r"))
    before = squares.fingerprint
    assert learned(trained(mapped)) == learned(trained(squares))
    assert squares.replace().fingerprint == before


def test_images_of_several_shapes(squares, tmp_path):
    for row in range(31):
        pixels = np.repeat(squares.images[row], 1 + row % 3, axis=row % 2)
        Image.fromarray(pixels).save(tmp_path / f"{row}.png")
    files = ImageFiles(tmp_path, [f"{row}.png" for row in range(31)])
    model = trained(squares.replace(images=files), QUICK.model_copy(update={"epochs": 6}))
    assert np.mean(model.predict(files).labels == squares.labels) == 1


def test_validation_accuracy_is_that_of_the_model_after_the_epoch(squares):
    validation = squares.take(np.arange(0, 31, 2))
    model = trained(squares, validation=validation)
    last = np.mean(model.predict(validation.images).labels == validation.labels)
    assert model.history[-1].validation_accuracy == last
    assert trained(squares).history[-1].validation_accuracy is None


def test_validation_changes_no_weight(squares, learned):
    plain, validated = trained(squares), trained(squares, validation=squares)
    assert all(
        torch.equal(value, validated.network.state_dict()[name])
        for name, value in plain.network.state_dict().items()
    )


def refused(error_type, message, *arguments, **options):
    with pytest.raises(error_type) as error:
        trained(*arguments, **options)
    assert str(error.value) == message


def test_what_it_cannot_learn_from(squares):
    refused(
        InputError,
        "a learner needs images: give a dataset that has them",
        squares.replace(images=None),
    )
    refused(
        InputError,
        "a learner needs at least two samples: the dataset has one",
        squares.take(np.arange(1)),
    )
    refused(
        InputError,
        "the validation set has the classes a, b, c, the dataset red, green, blue: "
        "give both the same",
        squares,
        validation=squares.replace(classes=("a", "b", "c")),
    )


def test_what_it_cannot_learn_with(squares):
    refused(
        InputError,
        "vit_b_16 does not take images of 12 × 12 pixels "
        "(Wrong image height! Expected 224 but got 12): change image_size",
        squares,
        QUICK.model_copy(update={"backbone": "vit_b_16"}),
    )
    refused(
        InputError,
        'there is no device "tpu": use auto, cpu, cuda or cuda:1',
        squares,
        QUICK.model_copy(update={"device": "tpu"}),
    )


class Bounded(Plain):
    """Mean absolute error: finite whatever the logits are, as long as they are numbers."""

    def loss(self, logits, batch, epoch):
        return 1 - (-cross_entropy(logits, batch.labels)).exp()


@pytest.mark.parametrize("strategy", [Plain(), Bounded()])
def test_a_training_that_diverges(squares, strategy):
    refused(
        WorkError,
        "the loss is not a number in epoch 1: lower learning_rate (now 1e+35)",
        squares,
        QUICK.model_copy(update={"learning_rate": 1e35}),
        strategy,
    )


class Loud(Plain):
    """A thousand times cross-entropy."""

    def loss(self, logits, batch, epoch):
        return 1000 * cross_entropy(logits, batch.labels)


def test_a_training_whose_last_step_diverges(squares):
    refused(
        WorkError,
        "the loss is not a number in epoch 1: lower learning_rate (now 1e+38)",
        squares,
        QUICK.model_copy(update={"learning_rate": 1e38, "epochs": 1, "batch_size": 31}),
        Loud(),
    )


def test_images_that_do_not_fit_into_memory(squares):
    refused(
        WorkError,
        "out of memory with batch_size 8: lower batch_size or image_size",
        squares,
        QUICK.model_copy(update={"image_size": 1 << 20}),
    )


HUNGRY = """
import resource
import numpy as np
from adc_core.records.dataset import Dataset
from adc_core.errors import WorkError
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
dataset = Dataset(labels=np.arange(600) % 2, images=np.zeros((600, 128, 128, 3), np.uint8))
with open("/proc/self/statm") as pages:
    used = int(pages.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), resource.RLIM_INFINITY))
try:
    CrossEntropy(image_size=128, batch_size=600, epochs=1).learn(dataset)
except WorkError as error:
    print(error)
"""
"""The first layer's output alone has 1.2 GiB, of which 1 GiB is granted."""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory used is read as Linux tells it")
def test_a_batch_that_does_not_fit_into_memory():
    told = run_program(HUNGRY)
    assert told.stdout == "out of memory with batch_size 600: lower batch_size or image_size\n"
    assert told.stderr == ""


def test_another_strategy_of_ones_own(squares):
    class Backwards(Strategy):
        def loss(self, logits, batch, epoch):
            return cross_entropy(-logits, batch.labels)

    model = trained(squares, QUICK.model_copy(update={"epochs": 6}), Backwards())
    assert np.mean(model.predict(squares.images).labels == squares.labels) == 0


def test_weights_are_where_training_starts(squares, tmp_path):
    model = trained(squares, QUICK.model_copy(update={"epochs": 6}))
    model.save(tmp_path / "model")
    weights = str(tmp_path / "model" / "weights.safetensors")
    config = QUICK.model_copy(update={"epochs": 1, "weights": weights, "learning_rate": 1e-4})
    assert trained(squares, config).history[0].accuracy > 0.9
    assert (
        trained(squares, config.model_copy(update={"weights": "random"})).history[0].accuracy < 0.7
    )


def test_progress_counts_steps(squares, tmp_path):
    told = []
    with work_context(tmp_path, lambda *news: told.append(news)):
        trained(squares)
    assert told == [(done, 8, "step") for done in range(1, 9)]


def test_learners_give_their_own_recipe(squares, learned):
    options = {"image_size": 12, "epochs": 2, "batch_size": 8}
    assert learned(CrossEntropy(**options).learn(squares)) == learned(trained(squares))
