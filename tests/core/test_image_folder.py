"""Image folders as people keep them: splits, hidden folders, empty ones."""

import numpy as np
import pytest
from PIL import Image

from adc_core import InputError
from adc_core.storage.readers import read_dataset
from adc_core.storage.saved_dataset import save_dataset
from adc_core.storage.splits import are_splits, splits_of_shards


def place(root, *paths):
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (number, 0, 0)).save(root / path)
    return root


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "TEST"), ("dev", "valid"), ("train",)]
)
def test_splits_are_no_classes(tmp_path, names):
    paths = [f"{split}/{name}/1.png" for split in names for name in ("cat", "dog")]
    place(tmp_path, *paths, f"{names[0]}/emu/x.jpg")
    with pytest.warns(UserWarning) as told:
        dataset = read_dataset(tmp_path)
    assert dataset.classes == ("cat", "dog", "emu")
    assert dataset.ids.tolist() == sorted([*paths, f"{names[0]}/emu/x.jpg"])
    assert dataset.columns["split"].tolist() == [name.split("/")[0] for name in dataset.ids]
    counts = ", ".join(f"{name} ({3 if name == names[0] else 2})" for name in sorted(names))
    assert [str(one.message) for one in told] == [
        f"{tmp_path}: read as splits, not as classes: {counts}; 3 classes; "
        "to read one split alone, give its folder"
    ]
    saved = tmp_path.with_name(f"{tmp_path.name} saved")
    save_dataset(dataset, saved)
    assert read_dataset(saved) == dataset


def test_a_class_called_test_stays_one(tmp_path):
    place(tmp_path, "test/old/1.png", "train/new/1.png", "exam/2.png")
    dataset = read_dataset(tmp_path)
    assert dataset.classes == ("exam", "test", "train")
    assert "split" not in dataset.columns


def test_splits_without_class_folders_are_classes(tmp_path):
    place(tmp_path, "test/1.png", "train/1.png")
    with pytest.warns(UserWarning) as told:
        assert read_dataset(tmp_path).classes == ("test", "train")
    assert [str(one.message) for one in told] == [
        f"{tmp_path}: test, train are read as classes: no class sub-folders in them"
    ]


def test_a_split_without_labels_is_left_out(tmp_path):
    place(tmp_path, "train/a/1.png", "train/b/1.png", "test/1.png")
    with pytest.warns(UserWarning) as told:
        dataset = read_dataset(tmp_path)
    assert dataset.ids.tolist() == ["train/a/1.png", "train/b/1.png"]
    assert [str(one.message) for one in told][1:] == [
        f"{tmp_path}: left out splits without class sub-folders: test"
    ]


def test_what_is_hidden_or_empty_is_left_out(tmp_path):
    place(
        tmp_path, "a/1.png", "a/.ipynb_checkpoints/1.png", "a/._1.png", "b/x/2.png", ".git/c/1.png",
        "__MACOSX/a/1.png",
    )  # fmt: skip
    for name in ("empty", "b/.DS_Store", "also empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"x")
    with pytest.warns(UserWarning) as told:
        dataset = read_dataset(tmp_path)
    assert dataset.ids.tolist() == ["a/1.png", "b/x/2.png"]
    assert dataset.classes == ("a", "b")
    assert [str(one.message) for one in told] == [
        f"{tmp_path}: left out class folders without images: also empty, empty",
        f"{tmp_path}: left out hidden folders: .DS_Store, .git, .ipynb_checkpoints and 1 more",
    ]


def test_nothing_but_hidden(tmp_path):
    place(tmp_path, ".a/1.png")
    with pytest.raises(InputError) as caught:
        read_dataset(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} has no class sub-folders: put images into {tmp_path}/CLASS/"
    )


def test_a_list_names_splits(tmp_path):
    (tmp_path / "m.csv").write_text("id,label,split,note\n1,a,train,x\n2,b,,y\n3,b,test,z\n")
    dataset = read_dataset(tmp_path / "m.csv")
    assert dataset.columns["split"].tolist() == ["train", "", "test"]
    assert dataset.sources.column_names == ["note"]


def test_names_of_splits():
    assert are_splits(["Train", "VALIDATION", "eval"])
    assert not are_splits(["train", "cat"])
    assert not are_splits([])
    assert splits_of_shards(["train-00000", "train-00001", "val_3", "test"]).tolist() == (
        ["train", "train", "val", "test"]
    )
    assert splits_of_shards(["train-00000", "00001"]) is None


def test_shards_tell_splits(tmp_path):
    import tarfile

    for name in ("train-00000.tar", "test-00000.tar"):
        image = tmp_path / "1.png"
        Image.fromarray(np.full((4, 4, 3), len(name), np.uint8)).save(image)
        (tmp_path / "1.cls").write_text("1")
        with tarfile.open(tmp_path / name, "w") as archive:
            archive.add(image, f"{name[:2]}.png")
            archive.add(tmp_path / "1.cls", f"{name[:2]}.cls")
    dataset = read_dataset(tmp_path)
    assert dataset.columns["split"].tolist() == ["test", "train"]
