import re

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from adc_core import Pipeline, run_pipeline
from adc_core.errors import InputError
from adc_core.records import rows_of
from adc_plugins_learn.learners import learning_to_reweight
from adc_plugins_learn.learners.learning_to_reweight import (
    LearningToReweight,
    alignments,
    sample_weights,
)
from adc_plugins_learn.training.loop import train
from adc_plugins_learn.training.parts import cross_entropy

QUICK = {"image_size": 12, "epochs": 2, "batch_size": 8, "backbone": "tiny-cnn"}


def test_alignments_by_hand():
    """Losses (x·w)² at w = (1, 2), so that gradients are 2(x·w)x."""
    w = torch.tensor([1.0, 2], requires_grad=True)
    x = torch.tensor([[1.0, 0], [0, 1], [1, -1]])  # gradients (2, 0), (0, 4), (-2, 2)
    trusted = (torch.tensor([3.0, 1]) @ w) ** 2  # gradient 2·5·(3, 1)
    found = alignments((x @ w) ** 2, trusted, [w])
    assert found.tolist() == [60, 40, -40]


def test_alignments_are_what_a_virtual_step_changes():
    """The derivative of the trusted loss by each weight of a step, at weights of zero."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 3)).double()
    x, y = torch.randn(6, 5, dtype=torch.float64), torch.arange(6) % 3
    trusted, labels = torch.randn(4, 5, dtype=torch.float64), torch.tensor([0, 1, 2, 2])
    parameters = dict(network.named_parameters())

    def losses(weights, images, given):
        return cross_entropy(torch.func.functional_call(network, weights, (images,)), given)

    def after(shares, rate=0.1):
        total = (shares * losses(parameters, x, y)).sum()
        step = torch.autograd.grad(total, [*parameters.values()], create_graph=True)
        moved = zip(parameters.items(), step, strict=True)
        stepped = {name: value - rate * change for (name, value), change in moved}
        return losses(stepped, trusted, labels).mean()

    shares = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(after(shares), shares)
    judged = losses(parameters, trusted, labels).mean()
    found = alignments(losses(parameters, x, y), judged, [*parameters.values()])
    torch.testing.assert_close(-0.1 * found, expected)
    assert (found < 0).any()
    assert (found > 0).any()


def test_sample_weights():
    assert sample_weights(torch.tensor([3.0, -2, 1, 0])).tolist() == [0.75, 0, 0.25, 0]
    assert sample_weights(torch.tensor([-1.0, 0])).tolist() == [0, 0]


def noisy(squares):
    """Every fourth label is wrong."""
    labels = squares.labels.copy()
    labels[::4] = (labels[::4] + 1) % 3
    return squares.replace(labels=labels)


def weights_seen(dataset, monkeypatch, **options):
    """Each sample's mean weight, over all epochs but the first two."""
    learner = LearningToReweight(**QUICK | {"epochs": 8, "learning_rate": 0.01} | options)
    strategy, given, made = learner.strategy(dataset), np.zeros((8, len(dataset))), sample_weights
    now = []

    def noting(aligned):
        weights = made(aligned)
        epoch, rows = now[-1]
        given[epoch, rows] = weights.detach()
        return weights

    step = strategy.step

    def stepping(plan, networks, epoch):
        now.append((epoch, plan.rows))
        return step(plan, networks, epoch)

    monkeypatch.setattr(learning_to_reweight, "sample_weights", noting)
    strategy.step = stepping
    train(dataset, None, learner, strategy)
    return given[2:].mean(axis=0)


def test_wrong_labels_count_little_beside_trusted_samples(squares, tmp_path, monkeypatch):
    dataset = noisy(squares)
    wrong = dataset.labels != squares.labels
    ids = "\n".join(str(row) for row in np.flatnonzero(~wrong)[:9])
    (tmp_path / "right.txt").write_text(ids + "\n\n")
    weights = weights_seen(dataset, monkeypatch, trusted_samples=tmp_path / "right.txt")
    assert weights[wrong].mean() < 0.3 * weights[~wrong].mean()


def test_trusted_samples_of_another_dataset(squares, tmp_path, monkeypatch):
    dataset, rows = noisy(squares), np.arange(1, 13)
    np.savez(
        tmp_path / "right.npz",
        images=squares.images.resized(16, rows),
        labels=np.array(squares.classes)[squares.labels[rows]],
    )
    # A .npz file sorts the names of its classes.
    order = sorted(squares.classes)
    named = np.array([order.index(squares.classes[label]) for label in dataset.labels])
    dataset = dataset.replace(labels=named, classes=tuple(order))
    truth = np.array([order.index(squares.classes[label]) for label in squares.labels])
    weights = weights_seen(dataset, monkeypatch, trusted_samples=tmp_path / "right.npz")
    wrong = named != truth
    assert weights[wrong].mean() < 0.8 * weights[~wrong].mean()


def test_samples_that_are_held_out_judge_and_are_not_learned(squares):
    learner = LearningToReweight(**QUICK, held_out=0.2)
    strategy = learner.strategy(squares)
    model = train(squares, None, learner, strategy)
    plans = strategy.plan_epoch(0)
    learned = torch.cat([plan.rows for plan in plans])
    judging = torch.cat([plan.extra_rows for plan in plans]).unique()
    assert (len(learned), len(judging)) == (25, 6)
    assert sorted([*learned.tolist(), *judging.tolist()]) == list(range(31))
    assert np.isfinite(model.dynamics.loss).all()  # of all samples


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" \n", "{path} names no samples: write an id on each line"),
        (
            "x7\nx8\n",
            '{path} names "x7", and no id of the samples to learn from: write some',
        ),
    ],
)
def test_ids_that_cannot_be_used(squares, tmp_path, text, message):
    path = tmp_path / "ids.txt"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        LearningToReweight(trusted_samples=path).strategy(squares)
    assert str(error.value) == message.format(path=path)


def test_trusted_samples_that_are_held_out_are_left_out_with_a_warning(squares, tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text("\n".join(map(str, squares.ids)))
    learner = LearningToReweight(**QUICK, trusted_samples=path, validation_fraction=0.2)
    with pytest.warns(UserWarning) as warned:
        model = learner.learn(squares)
    assert len(model.dynamics.loss) == 25
    (message,) = (str(one.message) for one in warned)
    assert re.fullmatch(
        r'of 31 trusted samples 6 are not learned from, "\d+" among them: held out, dropped, or '
        rf"no ids of the dataset \({re.escape(str(path))}\)",
        message,
    )


def test_a_file_of_ids_that_is_not_there(squares, tmp_path):
    path = tmp_path / "ids.txt"
    with pytest.raises(InputError) as error:
        LearningToReweight(trusted_samples=path).strategy(squares)
    found = str(error.value)
    assert found.startswith(f"{path} cannot be read (")
    assert found.endswith("): give a text file of ids")


def test_a_dataset_of_other_classes_or_without_images(squares, tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, labels=np.array(["red", "blue"]), images=squares.images.resized(8, [0, 1]))
    with pytest.raises(InputError) as error:
        LearningToReweight(trusted_samples=path).strategy(squares)
    assert str(error.value) == (
        f"{path} has the classes blue, red, the dataset red, green, blue: give both the same"
    )
    np.savez(path, labels=np.array(["red", "blue"]), features=np.zeros((2, 3)))
    with pytest.raises(InputError) as error:
        LearningToReweight(trusted_samples=path).strategy(squares)
    assert str(error.value) == f"{path} has no images: give a dataset that has them"


def test_the_compiler_has_no_second_derivatives():
    with pytest.raises(ValidationError) as error:
        LearningToReweight(torch_compile=True)
    assert "torch_compile gives no second derivatives: set it to false" in str(error.value)


def test_trusted_samples_that_a_simulator_lists_in_the_run(squares, tmp_path):
    run = run_pipeline(
        Pipeline(
            dataset=squares,
            simulators=[
                {"use": "long-tail", "ratio": 2},
                {"use": "trusted-split", "per_class": 3, "simulator": {"use": "symmetric"}},
            ],
            learners=[
                {
                    "use": "learning-to-reweight",
                    "trusted_samples": tmp_path / "run/simulators/trusted-split/trusted.txt",
                    **QUICK,
                }
            ],
        ),
        tmp_path / "run",
    )
    ids = (tmp_path / "run/simulators/trusted-split/trusted.txt").read_text().split()
    rows = rows_of(run.collected.ids, np.array(ids, dtype=object))
    assert np.bincount(run.truth[rows]).tolist() == [3, 3, 3]
    np.testing.assert_array_equal(run.collected.labels[rows], run.truth[rows])
    assert len(run.trainings[0].history) == 2
