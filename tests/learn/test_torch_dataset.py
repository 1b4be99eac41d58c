"""Datasets of torch, as they are."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset
from torch.utils.data import Dataset as TorchDataset
from torchvision.datasets import FakeData

from adc_core import InputError
from adc_plugins_learn import CrossEntropy, from_torch

PIXELS = np.random.default_rng(0).integers(0, 255, (12, 9, 8, 3), dtype=np.uint8)
LABELS = np.arange(12) % 3


class Pairs(TorchDataset):
    """Images in one of the forms that datasets give, and numbers."""

    def __init__(self, form):
        self.form, self.asked = form, []

    def __len__(self):
        return 12

    def __getitem__(self, index):
        self.asked.append(index)
        return self.form(PIXELS[index]), int(LABELS[index])


@pytest.mark.parametrize(
    "form",
    [Image.fromarray, lambda pixels: torch.tensor(pixels).permute(2, 0, 1), lambda pixels: pixels],
    ids=["pil", "tensor", "array"],
)
def test_the_pixels_are_the_same(form):
    dataset = from_torch(Pairs(form), classes=("a", "b", "c"))
    np.testing.assert_array_equal(dataset.labels, LABELS)
    np.testing.assert_array_equal(dataset.images[5], PIXELS[5])
    part = dataset.take(np.array([7, 2]))
    np.testing.assert_array_equal(part.images[1], PIXELS[2])
    again = from_torch(Pairs(lambda pixels: pixels))
    assert dataset.images.fingerprint == again.images.fingerprint
    assert again.classes == ("0", "1", "2")


def test_labels_that_it_lists_cost_no_image():
    pairs = Pairs(Image.fromarray)
    pairs.targets, pairs.classes = LABELS.tolist(), ["ant", "bee", "cat"]
    dataset = from_torch(pairs)
    assert dataset.classes == ("ant", "bee", "cat")
    assert pairs.asked == [0]


def test_of_a_subset_the_items_count_and_not_the_lists_of_the_whole():
    dataset = from_torch(Subset(Pairs(Image.fromarray), [4, 8]))
    np.testing.assert_array_equal(dataset.labels, [1, 2])


def test_labels_that_are_changed_on_the_way_are_those_of_the_items():
    pairs = Pairs(Image.fromarray)
    pairs.targets, pairs.target_transform = (2 - LABELS).tolist(), lambda label: 2 - label
    np.testing.assert_array_equal(from_torch(pairs).labels, LABELS)


@pytest.mark.parametrize("listed", [[f"file {row}" for row in range(12)], np.eye(12), LABELS / 2])
def test_lists_that_are_no_class_indices_are_not_taken(listed):
    pairs = Pairs(Image.fromarray)
    pairs.labels = listed
    np.testing.assert_array_equal(from_torch(pairs).labels, LABELS)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("cat", "the label of item 0 of the torch dataset is 'cat': give a class index"),
        (0.5, "the label of item 0 of the torch dataset is 0.5: give a class index"),
        (
            torch.tensor([0, 1]),
            "the label of item 0 of the torch dataset is tensor([0, 1]): give a class index",
        ),
        (-1, "the torch dataset has the label -1: give class indices"),
    ],
)
def test_labels_that_are_no_class_indices(label, message):
    with pytest.raises(InputError) as error:
        from_torch([(PIXELS[0], label), (PIXELS[1], label)])
    assert str(error.value) == message


class Stream(IterableDataset):
    """Images without numbers."""

    def __iter__(self):
        return iter(Pairs(Image.fromarray))


@pytest.mark.parametrize("dataset", [Stream(), DataLoader(Pairs(Image.fromarray))])
def test_what_has_no_items_by_number(dataset):
    with pytest.raises(InputError) as error:
        from_torch(dataset)
    assert str(error.value) == (
        f"a {type(dataset).__name__} has no items by number: give a map-style torch dataset"
    )


def test_it_is_learned_from_and_resumes_by_its_content(learned):
    quick = {"epochs": 1, "image_size": 8, "batch_size": 4, "backbone": "tiny-cnn"}
    first, second = (
        CrossEntropy(**quick).learn(from_torch(Pairs(form)))
        for form in (Image.fromarray, lambda pixels: pixels)
    )
    assert learned(first) == learned(second)
    fake = from_torch(FakeData(6, (3, 8, 8), num_classes=2))
    assert CrossEntropy(**quick).learn(fake).classes == fake.classes


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (TensorDataset(torch.rand(2, 3, 4, 4), torch.tensor([0, 1])), r"\(3, 4, 4\) torch.float32"),
        (TensorDataset(torch.rand(0, 3)), "is empty"),
        ([torch.rand(3, 4, 4)], r"items are Tensor: \(image, label\)"),
    ],
)
def test_what_is_no_dataset_of_pictures_is_one_line(dataset, message):
    with pytest.raises(InputError, match=message):
        from_torch(dataset)
