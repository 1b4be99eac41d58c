"""Labels as people have them become class indices, or are refused in one line."""

import numpy as np
import pandas as pd
import pytest

from adc_core import Dataset
from adc_core.errors import InputError
from adc_core.records.labels import class_indices
from adc_core.storage.readers import read_dataset


@pytest.mark.parametrize(
    "labels",
    [
        [0, 2, 1],
        [0.0, 2.0, 1.0],
        np.array([0, 2, 1], np.uint64),
        np.array([0, 2, 1], object),
        np.array([False, 2.0, np.int8(1)], object),
        ["0", "2", "1"],
        pd.Series([0, 2, 1], dtype="Int64"),
    ],
    ids=["integers", "whole floats", "unsigned", "objects", "mixed", "digits", "nullable"],
)
def test_every_kind_of_number_is_a_class_index(labels):
    read = class_indices(labels)
    assert read.labels.dtype == np.int64
    assert (read.labels.tolist(), read.names) == ([0, 2, 1], None)


@pytest.mark.parametrize(
    "labels",
    [
        ["dog", "cat", "dog"],
        np.array([b"dog", b"cat", b"dog"]),
        np.array(["dog", "cat", "dog"], object),
        pd.Series(["dog", "cat", "dog"]),
        pd.Categorical(["dog", "cat", "dog"], categories=["dog", "cat"]),
    ],
    ids=["list", "bytes", "objects", "series", "categorical"],
)
def test_names_are_numbered_in_their_sorted_order(labels):
    read = class_indices(labels)
    assert (read.labels.tolist(), read.names) == ([1, 0, 1], ("cat", "dog"))


def test_names_are_numbered_as_the_classes_are():
    read = class_indices(["dog", "cat"], ["dog", "bird", "cat"])
    assert (read.labels.tolist(), read.names) == ([0, 2], ("dog", "bird", "cat"))
    assert class_indices(["10", "9"], ["9", "10"]).labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 0.5], "labels: row 1 is 0.5, expected a whole number or a class name"),
        ([0, np.nan], "labels: row 1 is nan, expected a whole number or a class name"),
        (
            ["a", None],
            "labels: row 1 is None, expected a whole number or a class name as in the other rows",
        ),
        (
            [3, None],
            "labels: row 1 is None, expected a whole number or a class name as in the other rows",
        ),
        (["a", ""], "labels: row 1 has no label: fill or remove it"),
        (
            [[0], [1]],
            "labels: expected one whole number or class name per sample, got int64 (2, 1)",
        ),
        (
            [[0], [1, 2]],
            "labels: expected one whole number or class name per sample, got a ragged list",
        ),
        ([1j], "labels: expected one whole number or class name per sample, got complex128 (1,)"),
        (
            ["1" * 30],
            f"labels go up to {'1' * 30} for 1 samples: are they ids? "
            "write names, or numbers from 0",
        ),
        (
            np.array([2**63 + 1, 0], np.uint64),
            "labels go up to 9223372036854775809 for 2 samples: are they ids? "
            "write names, or numbers from 0",
        ),
    ],
)
def test_what_is_no_label_is_named(labels, message):
    with pytest.raises(InputError) as caught:
        class_indices(labels)
    assert str(caught.value) == message


def test_a_dataset_takes_names():
    dataset = Dataset(labels=["dog", "cat", "dog"])
    assert (dataset.classes, dataset.labels.tolist()) == (("cat", "dog"), [1, 0, 1])
    own = Dataset(labels=["dog", "cat"], classes=np.array(["dog", "cat"]))
    assert (own.classes, own.labels.tolist()) == (("dog", "cat"), [0, 1])


def test_few_samples_may_be_of_many_classes():
    assert len(Dataset(labels=[0, 999]).classes) == 1000
    with pytest.raises(InputError, match="labels go up to 1000 for 2 samples: are they ids"):
        Dataset(labels=[0, 1000])


FAR = "labels go up to 3000000000 for 2 samples: are they ids? write names, or numbers from 0"


def test_ids_for_labels_are_refused_in_files_before_classes_are_made(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("id,label\na,0\nb,3000000000\n")
    with pytest.raises(InputError) as caught:
        read_dataset(table)
    assert str(caught.value) == f"{table}: {FAR}"
    np.savez(tmp_path / "arrays.npz", labels=[0, 3000000000])
    with pytest.raises(InputError) as caught:
        read_dataset(tmp_path / "arrays.npz")
    assert str(caught.value) == FAR


def test_names_are_read_from_npz(tmp_path):
    path = tmp_path / "arrays.npz"
    probabilities = [[0.9, 0.1], [0.2, 0.8]]
    np.savez(path, labels=["cat", "dog"], probabilities=probabilities)
    dataset = read_dataset(path)
    assert (dataset.classes, dataset.labels.tolist()) == (("cat", "dog"), [0, 1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pred_probs", " holds 'pred_probs': name it 'probabilities'"),
        ("feature", ': there is no array "feature": did you mean "features"?'),
    ],
)
def test_other_names_of_arrays_are_told(tmp_path, name, message):
    path = tmp_path / "arrays.npz"
    np.savez(path, labels=[0, 1], **{name: np.eye(2)})
    with pytest.raises(InputError) as caught:
        read_dataset(path)
    assert str(caught.value) == f"{path}{message}"
