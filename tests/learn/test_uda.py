"""Images without labels: two views of them that are to agree, and labels that do not count."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from adc_core import Dataset, ImageArray, InputError, work_context
from adc_plugins_learn import CrossEntropy, UnsupervisedDataAugmentation
from adc_plugins_learn.learners.uda import annealed_mean, annealed_threshold
from adc_plugins_learn.training.checkpoint import learned_from
from adc_plugins_learn.training.data.validation_split import validation_split
from adc_plugins_learn.training.parts import cross_entropy

QUICK = {"image_size": 12, "batch_size": 8, "epochs": 3, "backbone": "tiny-cnn"}
AT = (0, 0.25, 0.5, 0.75, 1)


@pytest.mark.parametrize(
    ("annealing", "expected"),
    [
        ("none", [1, 1, 1, 1, 1]),
        ("linear", [0.1, 0.325, 0.55, 0.775, 1.0]),
        ("exp", [0.106064152299, 0.121165971270, 0.173876498761, 0.357854317174, 1.0]),
        ("log", [0.1, 0.742145682826, 0.926123501238, 0.978834028730, 0.993935847701]),
    ],
)  # fmt: skip
def test_thresholds_of_the_worked_example(annealing, expected):
    found = [annealed_threshold(progress, 10, annealing) for progress in AT]
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_supervised_part_of_the_worked_example():
    """At half time and three classes; the first and third row are predicted too well to count."""
    logits = torch.tensor(
        [[2.0, -1.0, 0.5], [0.1, 0.2, -0.3], [-1.5, 3.0, 0.0], [0.0, 0.0, 4.0]],
        dtype=torch.float64,
        requires_grad=True,
    )
    labels = torch.tensor([0, 2, 1, 0])
    threshold = annealed_threshold(0.5, 3, "linear")
    assert threshold == pytest.approx(2 / 3)
    loss = annealed_mean(cross_entropy(logits, labels), logits, labels, threshold)
    assert loss.item() == pytest.approx(2.7284019776507265, abs=1e-12)
    loss.backward()
    assert (logits.grad.abs().sum(dim=1) > 0).tolist() == [False, True, False, True]


def test_where_no_sample_counts_nothing_is_lost():
    logits = torch.tensor([[9.0, 0.0]])
    assert annealed_mean(torch.ones(1), logits, torch.tensor([0]), 0.5) == 0


@pytest.fixture(scope="module")
def half(squares):
    """Give every other square a wrong label that does not count."""
    aside = np.arange(31) % 2 > 0
    return squares.replace(
        labels=np.where(aside, (squares.labels + 1) % 3, squares.labels),
        columns={"unlabeled": aside},
    )


def test_without_samples_set_aside_it_is_cross_entropy(squares, learned, tmp_path):
    with work_context(tmp_path):
        own = UnsupervisedDataAugmentation(**QUICK).learn(squares)
        plain = CrossEntropy(**QUICK).learn(squares)
    assert learned(own) == learned(plain)


def test_labels_that_were_set_aside_are_never_learned(half, learned, tmp_path):
    """Other wrong labels there give the same network, bit by bit."""
    other = half.replace(labels=np.where(half.labeled, half.labels, 0))
    learner = UnsupervisedDataAugmentation(**QUICK)
    found = []
    for number, dataset in enumerate((half, other)):
        with work_context(tmp_path / str(number)):
            state = learner.learn(dataset).network.state_dict()
        found.append(b"".join(value.numpy().tobytes() for value in state.values()))
    assert found[0] == found[1]


def test_others_refuse_to_believe_them(half, tmp_path):
    with work_context(tmp_path), pytest.raises(InputError) as error:
        CrossEntropy(**QUICK).learn(half)
    assert "would believe the 15 labels that were set aside" in str(error.value)
    assert "such as uda" in str(error.value)


def test_none_is_held_out_to_judge_by(half):
    kept, held = validation_split(half, 0.3, 0)
    assert held.labeled.all() and len(held) > 3
    assert (~kept.labeled).sum() == 15


def test_checkpoints_know_which_labels_count(half, squares):
    everything = half.replace(columns={})
    assert learned_from(half) != learned_from(everything)
    assert learned_from(squares) == squares.fingerprint_of("images", "labels", "classes")


@pytest.mark.parametrize("seed", [0, 1])
def test_images_without_labels_help(tmp_path, seed):
    """Of 820 digits 20 have labels: they are told apart better with the other 800 (.03, .13)."""
    data = load_digits()
    pixels = np.repeat((data.images * 15.9).astype(np.uint8)[..., None], 3, axis=3)
    order = np.random.default_rng(seed).permutation(len(pixels))
    learned_of, test = order[:820], order[840:1440]
    aside = np.arange(820) >= 20
    dataset = Dataset(
        labels=np.where(aside, 0, data.target[learned_of]),
        classes=tuple("0123456789"),
        images=pixels[learned_of],
        columns={"unlabeled": aside},
    )
    options = {
        "image_size": 8, "batch_size": 20, "epochs": 150, "backbone": "tiny-cnn", "seed": seed,
        "augment": [{"use": "random-crop", "padding": 1}],
    }  # fmt: skip
    with work_context(tmp_path):
        alone = CrossEntropy(**options).learn(dataset.take(np.flatnonzero(~aside)))
        helped = UnsupervisedDataAugmentation(**options).learn(dataset)
    right = [
        (model.predict(ImageArray(pixels[test])).labels == data.target[test]).mean()
        for model in (alone, helped)
    ]
    assert right[1] > right[0] + 0.02
