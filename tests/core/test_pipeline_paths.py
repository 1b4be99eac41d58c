"""Paths that a pipeline names and nobody has, and test sets that are no test."""

import numpy as np
import pytest
from PIL import Image

from adc_core import Dataset, InputError, Pipeline
from adc_core.errors import InputErrors
from adc_core.runs.pipeline_paths import path_faults
from adc_core.runs.runner import run_pipeline
from adc_core.runs.test_set import warn_of_leaks, with_classes_of
from adc_core.storage.readers import read_dataset


def test_all_at_once(tmp_path, toys):
    (tmp_path / "p.yaml").write_text(
        "brief: {subject: x, classes: [a, b], samples_per_query: 3}\n"
        "designer: {use: file, path: no.yaml}\n"
        "searchers: [{use: manifest, path: no.csv}]\n"
        "collector: downloader\ntruth: truth.csv\ntest: holdout\n"
    )
    found = [line.replace(str(tmp_path), "DIR") for line in path_faults(
        Pipeline.read(tmp_path / "p.yaml")
    )]  # fmt: skip
    assert found == [
        "test: DIR/holdout does not exist: give a folder, a manifest or a .npz file",
        "truth: DIR/truth.csv does not exist: fix the path",
        "designer.path: DIR/no.yaml does not exist: fix the path",
        "searchers.0.path: DIR/no.csv does not exist: fix the path",
    ]


def test_the_dataset_is_no_test_set(tmp_path):
    (tmp_path / "m.csv").write_text("id,label\n1,a\n2,b\n")
    (tmp_path / "other.csv").symlink_to(tmp_path / "m.csv")
    pipeline = Pipeline(dataset=tmp_path / "m.csv", test=tmp_path / "other.csv")
    message = (
        f"test: {tmp_path / 'other.csv'} is the dataset itself: "
        "give samples that no training has seen, or leave test out"
    )
    assert path_faults(pipeline) == [message]
    with pytest.raises(InputErrors) as caught:
        run_pipeline(pipeline, tmp_path / "out")
    assert caught.value.faults == (message,)
    assert not (tmp_path / "out").exists()


def test_copies_in_the_test_set_are_counted(tmp_path):
    rng = np.random.default_rng(0)
    for split, names in (("train", "abcdef"), ("test", "xyz")):
        (tmp_path / split / "one").mkdir(parents=True)
        (tmp_path / split / "two").mkdir()
        for name in names:
            pixels = rng.integers(0, 255, (4, 4, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / split / "one" / f"{name}.png")
        Image.fromarray(pixels).save(tmp_path / split / "two" / "other.png")
    train, test = (read_dataset(tmp_path / split) for split in ("train", "test"))
    warn_of_leaks(test, train)  # nothing is said of samples that only the test set has twice
    for name in "ab":
        copy = (tmp_path / "train" / "one" / f"{name}.png").read_bytes()
        (tmp_path / "test" / "two" / f"{name}.png").write_bytes(copy)
    test = read_dataset(tmp_path / "test")
    with pytest.warns(UserWarning) as told:
        warn_of_leaks(test, train)
    assert [str(one.message) for one in told] == [
        "2 of 6 images of the test set are in the dataset too, byte for byte (two/a.png = "
        "one/a.png, two/b.png = one/b.png): remove them from one of the two, or accuracies are "
        "too high"
    ]


def test_classes_of_the_test_set():
    test = Dataset(labels=[0, 1], classes=("b", "a"))
    dataset = Dataset(labels=[0, 1, 2], classes=("a", "b", "c"))
    assert with_classes_of(test, dataset).labels.tolist() == [1, 0]
    with pytest.raises(InputError) as caught:
        with_classes_of(dataset, test)
    assert str(caught.value) == (
        "the test set has the class 'c', which the dataset does not have: b, a"
    )


def test_label_sets_of_the_test_set_follow_its_classes():
    sets = {"label_sets": np.array([[1, 0], [1, 1]]), "unclear_sets": np.array([[0, 1], [0, 0]])}
    test = Dataset(labels=[0, 1], classes=("b", "a"), columns={**sets, "mine": np.arange(2)})
    dataset = Dataset(labels=[0, 1, 2], classes=("a", "b", "c"))
    moved = with_classes_of(test, dataset)
    assert moved.columns["label_sets"].tolist() == [[0, 1, -1], [1, 1, -1]]
    assert moved.columns["unclear_sets"].tolist() == [[1, 0, 0], [0, 0, 0]]
    assert moved.columns["mine"].tolist() == [0, 1]
    with pytest.raises(InputError) as caught:
        with_classes_of(test.replace(columns={"label_sets": np.ones((2, 3))}), dataset)
    assert str(caught.value) == (
        "the test set's label_sets are (2, 3), expected a column for each of its 2 classes"
    )
