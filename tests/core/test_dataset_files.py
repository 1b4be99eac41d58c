"""Datasets on disk: saved and read back equal, damage named, foreign files understood."""

import os
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from adc_core import Dataset, ImageFiles, InputError, Votes, WorkError
from adc_core.errors import lines_of
from adc_core.storage.readers import read_dataset
from adc_core.storage.saved_dataset import save_dataset
from adc_core.testing.toys import toy_dataset


def is_memory_mapped(array):
    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = getattr(array, "base", None)
    return False


def image(path, color="red", size=(12, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    image(root / "b" / "1.png", "blue")
    image(root / "a" / "deep" / "2.jpg", "red")
    image(root / "a" / "1.PNG", "green")
    (root / "a" / "notes.txt").write_text("not an image")
    return root


@pytest.fixture
def saved(tmp_path):
    save_dataset(toy_dataset(), tmp_path / "saved")
    return tmp_path / "saved"


def test_everything_survives_saving(tmp_path, folder):
    images = read_dataset(folder)
    full = images.replace(
        features=np.arange(6, dtype=np.float32).reshape(3, 2),
        attributes={"colour": ["rot", "grün", ""]},
        sources=pa.table({"url": ["u1", None, "u3"], "rank": pa.array([1, None, 3])}),
        votes=Votes(item=[0, 0, 1], rater=[1, 2, 1], label=[0, 1, 1]),
        columns={"mine": np.array([1, 2, 3])},
    )
    save_dataset(full, tmp_path / "saved")
    shutil.rmtree(folder)
    again = read_dataset(tmp_path / "saved")
    assert again == full
    assert again.images[0].shape == (8, 12, 3)
    assert again.sources.schema == full.sources.schema
    save_dataset(again, tmp_path / "again")
    files = sorted(p.relative_to(tmp_path / "saved") for p in (tmp_path / "saved").rglob("*.*"))
    for path in files:
        assert (tmp_path / "again" / path).read_bytes() == (tmp_path / "saved" / path).read_bytes()


def test_evidence_survives_saving(saved):
    again = read_dataset(saved)
    assert again == toy_dataset()
    assert again.neighbors == toy_dataset().neighbors
    assert is_memory_mapped(again.features)


def test_saving_over_something_is_refused(saved):
    with pytest.raises(InputError) as caught:
        save_dataset(toy_dataset(), saved)
    assert str(caught.value) == f"{saved} already exists: choose another folder or remove it"


@pytest.mark.parametrize("name", ["features.npy", "samples.parquet", "dataset.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_every_damage_is_named(saved, name, damage):
    path = saved / name
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    path.write_bytes(content[:-1] if damage == "cut" else content)
    problem = "is damaged (its SHA-256 differs)"
    if damage == "remove":
        path.unlink()
        problem = "is missing"
    if (damage, name) == ("remove", "dataset.json"):
        with pytest.raises(InputError, match="has no class sub-folders"):
            read_dataset(saved)
        return
    with pytest.raises(WorkError) as caught:
        read_dataset(saved)
    assert str(caught.value) == f"{path} {problem}: remove {saved} to make it again"


def test_a_strange_file_is_named(saved):
    (saved / "left-over").write_text("?")
    with pytest.raises(WorkError) as caught:
        read_dataset(saved)
    assert str(caught.value) == f"{saved / 'left-over'} does not belong there: remove it"


def test_an_image_folder(folder):
    dataset = read_dataset(folder)
    assert dataset.classes == ("a", "b")
    assert dataset.ids.tolist() == ["a/1.PNG", "a/deep/2.jpg", "b/1.png"]
    assert dataset.labels.tolist() == [0, 0, 1]
    assert dataset.images[0][0, 0].tolist() == [0, 128, 0]


def test_manifests(tmp_path, folder):
    rows = {
        "path": ["images/a/1.PNG", "images/b/1.png"],
        "label": ["a", "b"],
        "attribute.colour": ["green", "blue"],
        "url": ["u", "v"],
    }
    pq.write_table(pa.table(rows), tmp_path / "m.parquet")
    (tmp_path / "m.csv").write_text(
        "path,label,attribute.colour,url\nimages/a/1.PNG,a,green,u\nimages/b/1.png,b,blue,v\n"
    )
    one, other = (read_dataset(tmp_path / name) for name in ("m.parquet", "m.csv"))
    assert one == other
    assert one.ids.tolist() == rows["path"]
    assert one.attributes["colour"].tolist() == ["green", "blue"]
    assert one.sources.column_names == ["url"]
    assert one.images[1][0, 0].tolist() == [0, 0, 255]


def test_npz(tmp_path):
    np.savez(tmp_path / "d.npz", labels=[0, 1], features=np.eye(2), classes=["x", "y"])
    dataset = read_dataset(tmp_path / "d.npz")
    assert dataset.classes == ("x", "y")
    assert dataset.features.dtype == np.float32


CURVES = {
    name: np.array([[0.2, 0.6], [0.5, 0.9]])
    for name in ("given_probability", "margin", "loss", "correct")
}


def test_npz_with_everything(tmp_path):
    images = np.zeros((2, 3, 3), np.uint8)
    quarters = np.full((2, 4), 0.25)
    np.savez(tmp_path / "d.npz", labels=[0, 1], probabilities=quarters, images=images, **CURVES)
    dataset = read_dataset(tmp_path / "d.npz")
    assert dataset.classes == ("0", "1", "2", "3")
    assert dataset.probabilities.origin == "out of sample"
    assert dataset.dynamics.epochs.tolist() == [1, 2]
    np.testing.assert_allclose(dataset.dynamics.loss, CURVES["loss"])
    np.savez(tmp_path / "d.npz", labels=[0, 1], epochs=[5, 9], **CURVES)
    assert read_dataset(tmp_path / "d.npz").dynamics.epochs.tolist() == [5, 9]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {name: CURVES[name] for name in ("loss", "margin")},
            "{0} holds 'loss' but not 'given_probability': "
            "training dynamics are given_probability, margin, loss, correct",
        ),
        (
            CURVES | {"loss": np.zeros((2, 3))},
            "dynamics: loss is (2, 3), expected (2, 2)",
        ),
        (
            CURVES | {"epochs": [1, 2, 3]},
            "dynamics: given_probability is (2, 2), expected (2, 3)",
        ),
        (
            {"given_probability": [0.1, 0.2]} | {n: CURVES[n] for n in list(CURVES)[1:]},
            "dynamics.given_probability: expected N × E float32, got shape (2,)",
        ),
        ({"probabilities": np.full((2, 1), 1.0)}, "only 1 class (0): give at least two"),
        (
            {"probabilities": [0.5, 0.5]},
            "probabilities.values: expected N × D float32, got shape (2,)",
        ),
    ],
)
def test_npz_with_faults(tmp_path, arrays, message):
    path = tmp_path / "d.npz"
    np.savez(path, labels=[0, 1], **arrays)
    with pytest.raises(ValueError) as caught:
        read_dataset(path)
    assert message.format(path) in lines_of(caught.value)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 2)]
)
def test_a_parquet_manifest_with_evidence(tmp_path, kind):
    rows = {
        "label": ["b", "a", "b"],
        "features": pa.array([[1, 2], [3, 4], [5, 6]], kind),
        "probabilities": pa.array([[0.2, 0.8], [0.5, 0.5], [1, 0]], kind),
        "note": ["x", "y", "z"],
    }
    table = pa.concat_tables([pa.table(rows).slice(0, 1), pa.table(rows).slice(1)])
    pq.write_table(table, tmp_path / "m.parquet", row_group_size=2)
    dataset = read_dataset(tmp_path / "m.parquet")
    assert dataset.features.tolist() == [[1, 2], [3, 4], [5, 6]]
    np.testing.assert_allclose(dataset.probabilities.values[:, 0], [0.2, 0.5, 1])
    assert (dataset.classes, dataset.labels.tolist()) == (("a", "b"), [1, 0, 1])
    assert dataset.sources.column_names == ["note"]
    assert dataset.images is None


def test_a_manifest_of_numbers_has_as_many_classes_as_probabilities(tmp_path):
    rows = {"label": [0, 1], "probabilities": [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]}
    pq.write_table(pa.table(rows), tmp_path / "m.parquet")
    assert read_dataset(tmp_path / "m.parquet").classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([[1.0, 2.0], [3.0]], "{0}: features: row 1 has 1 numbers but row 0 has 2"),
        ([[1.0, 2.0], None], "{0}: features: row 1 is missing: fill or remove it"),
        ([None, [1.0, 2.0]], "{0}: features: row 0 is missing: fill or remove it"),
        (
            [[1.0, None], [2.0, 3.0]],
            "features: row 0 is not finite (NaN or infinity): expected finite float32",
        ),
        (
            ["[1.0]", "[2.0]"],
            "{0}: features is string, expected lists of numbers: write Parquet or .npz",
        ),
        (
            [["x"], ["y"]],
            "{0}: features is list<element: string>, expected lists of numbers: "
            "write Parquet or .npz",
        ),
    ],
)
def test_evidence_that_is_no_matrix(tmp_path, column, message):
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table({"label": ["a", "b"], "features": column}), path)
    with pytest.raises(ValueError) as caught:
        read_dataset(path)
    assert lines_of(caught.value) == [message.format(path)]


def test_one_memory_mapped_array(tmp_path):
    np.save(tmp_path / "images.npy", np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    dataset = Dataset(labels=[0, 1], images=mapped)
    save_dataset(dataset, tmp_path / "saved")
    again = read_dataset(tmp_path / "saved")
    assert again == dataset
    assert np.array_equal(again.images[1], mapped[1])


def test_saved_images_do_not_change_with_their_originals(tmp_path, folder):
    save_dataset(read_dataset(folder), tmp_path / "saved")
    with (folder / "a" / "1.PNG").open("ab") as file:
        file.write(b"more")
    read_dataset(tmp_path / "saved")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: None, "{0} does not exist: give a folder, a manifest or a .npz file"),
        (
            lambda p: p.mkdir(),
            "{0} has no class sub-folders: put images into {0}/CLASS/",
        ),
        (
            lambda p: (p / "a").mkdir(parents=True),
            "{0}/a holds no images (.bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp)",
        ),
        (lambda p: p.write_text("x"), "{0} is not one of: a folder, .csv, .parquet, .npz"),
    ],
)
def test_what_is_no_dataset(tmp_path, make, message):
    path = tmp_path / "thing"
    make(path)
    with pytest.raises(InputError) as caught:
        read_dataset(path)
    assert str(caught.value) == message.format(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,klass\n1,a\n", "{0} has no column `label`; it has id, klass"),
        ("id,label\n", "{0} has no rows"),
        (
            "id,label\n1,a\n2,\n",
            "{0}: 1 rows have no label: fill or remove them",
        ),
        ("id,label\n1,a,b\n", "{0} cannot be read as csv: CSV parse error: "),
    ],
)
def test_broken_manifests(tmp_path, content, message):
    path = tmp_path / "m.csv"
    path.write_text(content)
    with pytest.raises(ValueError) as caught:
        read_dataset(path)
    assert message.format(path) in str(caught.value)


def test_broken_npz(tmp_path):
    path = tmp_path / "d.npz"
    path.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(InputError, match="cannot be read as npz"):
        read_dataset(path)
    np.savez(path, features=np.eye(2))
    with pytest.raises(InputError) as caught:
        read_dataset(path)
    assert str(caught.value) == f"{path} has no array `labels`; it has features"
    np.savez(path, labels=[0, 1], surprise=[1])
    with pytest.raises(InputError, match='there is no array "surprise"; there is labels, images'):
        read_dataset(path)


def test_a_failed_save_leaves_nothing(tmp_path, folder):
    dataset = Dataset(
        labels=[0, 1], images=ImageFiles(folder, ["a/1.PNG", "gone.png"]), classes=("a", "b")
    )
    with pytest.raises((InputError, WorkError), match=r"gone\.png"):
        save_dataset(dataset, tmp_path / "saved")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["images"]


def test_nothing_is_written_beside_a_saved_dataset(tmp_path, folder):
    """Not even where a manifest names images by paths that lead out of its folder."""
    place = tmp_path / "lists" / "deep"
    place.mkdir(parents=True)
    absolute = folder / "b" / "1.png"
    (place / "m.csv").write_text(f"path,label\n../../images/a/1.PNG,a\n{absolute},b\n")
    dataset = read_dataset(place / "m.csv")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    save_dataset(dataset, tmp_path / "saved" / "it")
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(tmp_path / "saved" / "it") for path in new)
    again = read_dataset(tmp_path / "saved" / "it")
    assert again == dataset
    assert again.images[1][0, 0].tolist() == [0, 0, 255]


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="the memory cannot be asked for")
@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_a_small_file_that_unpacks_to_more_than_the_memory_is_refused(
    tmp_path, monkeypatch, suffix
):
    path = tmp_path / f"zeros{suffix}"
    if suffix == ".npz":
        np.savez_compressed(path, labels=np.zeros(1 << 20, np.int64))
    else:
        pq.write_table(pa.table({"label": np.zeros(1 << 20, np.int64)}), path)
    assert path.stat().st_size < 100_000
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1 << 10}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    with pytest.raises(InputError) as raised:
        read_dataset(path)
    assert str(raised.value) == (
        f"{path} holds 0.00781 GiB when unpacked, and this machine has 0.00391 GiB of memory: "
        "give a part of it"
    )
