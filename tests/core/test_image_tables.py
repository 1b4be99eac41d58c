"""Parquet files with images in them, as `datasets` itself writes them."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from adc_core import ImageFiles, InputError
from adc_core.images.decoding import ImageError
from adc_core.images.tables import ImageTables
from adc_core.storage.readers import read_dataset
from adc_core.storage.saved_dataset import save_dataset

ROWS = 250
CLASSES = ("shirt & tie", "cardigan")


def pixels_of(row):
    return np.random.default_rng(row).integers(0, 256, (5 + row % 3, 6, 3), np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    root = tmp_path_factory.mktemp("files")
    names = [f"{row}.png" for row in range(ROWS)]
    for row, name in enumerate(names):
        Image.fromarray(pixels_of(row)).save(root / name)
    return ImageFiles(root, names)


@pytest.fixture(scope="module")
def hosted(files, tmp_path_factory):
    """A folder as on a hub: two splits, one of them in two files."""
    import datasets

    folder = tmp_path_factory.mktemp("hosted")
    features = datasets.Features(
        {
            "img": datasets.Image(),
            "title": datasets.Value("string"),
            "label": datasets.ClassLabel(names=list(CLASSES)),
        }
    )
    (folder / "data").mkdir()
    for name, rows in (
        ("test-00000-of-00001", range(150, ROWS)),
        ("train-00000-of-00002", range(120)),
        ("train-00001-of-00002", range(120, 150)),
    ):
        table = {
            "img": [{"bytes": files.encoded(row)[0], "path": f"{row}.png"} for row in rows],
            "title": [f"number {row}" for row in rows],
            "label": [row % 2 for row in rows],
        }
        written = datasets.Dataset.from_dict(table, features=features)
        written.to_parquet(folder / "data" / f"{name}.parquet", batch_size=40)
    return folder


ORDER = [*range(150, ROWS), *range(150)]
"""Rows as the files' names sort: the test set first."""


@pytest.fixture
def read(hosted):
    return read_dataset(hosted)


def test_what_datasets_writes_is_read_in_place(read, files):
    assert read.classes == CLASSES
    assert read.ids.tolist() == [f"{row}.png" for row in ORDER]
    assert read.labels.tolist() == [row % 2 for row in ORDER]
    assert read.columns["split"].tolist() == ["test"] * 100 + ["train"] * 150
    assert read.sources["title"].to_pylist() == [f"number {row}" for row in ORDER]
    assert isinstance(read.images, ImageTables)
    for place, row in enumerate(ORDER):
        np.testing.assert_array_equal(read.images[place], pixels_of(row))
    assert read.images.fingerprint == files.take(np.array(ORDER)).fingerprint


def test_one_file_alone(hosted):
    one = read_dataset(hosted / "data" / "train-00001-of-00002.parquet")
    assert len(one) == 30
    np.testing.assert_array_equal(one.images[3], pixels_of(123))


def test_any_order_any_thread_and_another_process(read):
    rows = np.random.default_rng(0).permutation(ROWS)
    taken = pickle.loads(pickle.dumps(read.images.take(rows)))
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(taken.__getitem__, range(ROWS)))
    for pixels, row in zip(found, rows.tolist(), strict=True):
        np.testing.assert_array_equal(pixels, pixels_of(ORDER[row]))
    assert taken.encoded(0)[1] == ".png"
    assert read.images.resized(8, np.arange(7)).shape == (7, 8, 8, 3)


def test_it_is_saved_with_its_images(read, tmp_path):
    save_dataset(read, tmp_path / "saved")
    again = read_dataset(tmp_path / "saved")
    assert again == read
    assert isinstance(again.images, ImageFiles)


def test_names_of_labels_and_other_columns(tmp_path, files):
    """Written by others: no word of features, large binaries, names as labels, no paths."""
    contents = [files.encoded(row)[0] for row in range(4)]
    table = pa.table(
        {
            "id": ["a", "b", "c", "d"],
            "image": pa.array(
                [{"bytes": one} for one in contents], pa.struct([("bytes", pa.large_binary())])
            ),
            "label": ["x", "y", "x", "y"],
            "attribute.color": ["red", "blue", "red", "red"],
        }
    )
    pq.write_table(table, tmp_path / "some.parquet", row_group_size=3)
    read = read_dataset(tmp_path)
    assert (read.ids.tolist(), read.classes) == (["a", "b", "c", "d"], ("x", "y"))
    assert read.attributes["color"].tolist() == ["red", "blue", "red", "red"]
    assert not read.columns and read.sources is None
    np.testing.assert_array_equal(read.images[3], pixels_of(3))


IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def written(path, labels, cells):
    pq.write_table(pa.table({"image": pa.array(cells, IMAGE), **labels}), path)


def test_faults(tmp_path, files):
    cell = {"bytes": files.encoded(0)[0], "path": None}
    path = tmp_path / "a.parquet"
    cases = [
        ({}, f"{path} has no column `label`; it has images alone"),
        ({"y": [0, 1]}, f"{path} has no column `label`; it has y"),
        ({"label": ["x", None]}, f"{tmp_path}: 1 rows have no label: fill or remove them"),
    ]
    for labels, message in cases:
        written(path, labels, [cell, cell])
        for place in (path, tmp_path):
            with pytest.raises(InputError) as error:
                read_dataset(place)
            assert str(error.value) == message


def test_a_label_that_is_hidden(tmp_path, files):
    import datasets

    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["x", "y"])}
    )
    table = {"image": [str(files.path(0))] * 2, "label": [-1, -1]}
    path = tmp_path / "test.parquet"
    datasets.Dataset.from_dict(table, features=features).to_parquet(path)
    with pytest.raises(InputError) as error:
        read_dataset(path)
    assert str(error.value) == f"{tmp_path}: some rows have no label: fill or remove them"


def test_images_that_cannot_be_read(tmp_path, files):
    cell = {"bytes": files.encoded(0)[0], "path": None}
    path = tmp_path / "a.parquet"
    written(path, {"label": [0, 1, 1]}, [cell, {"bytes": None, "path": "x"}, {"bytes": b"junk"}])
    images = read_dataset(path).images
    images.check(0)
    for row, message in (
        (1, f"{path}, image 1 of row group 0 is empty: remove its row"),
        (2, "image is not an image: replace or remove it"),
    ):
        with pytest.raises(ImageError) as error:
            images.check(row)
        assert str(error.value) == message
    path.rename(tmp_path / "gone")
    with pytest.raises(ImageError, match="cannot be read"):
        ImageTables(tmp_path, ["a.parquet"], "image", [0], [1], [0]).read(0)
