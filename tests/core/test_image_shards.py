"""Images in tar files: read by their place, equal to the same images in files."""

import io
import pickle
import tarfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adc_core.errors import InputError, WorkError
from adc_core.images.decoding import ImageError
from adc_core.images.sequence import ImageFiles
from adc_core.images.shards import ImageShards
from adc_core.records.dataset import Dataset
from adc_core.runs.stage_formats import DATASET
from adc_core.storage.readers import read_dataset
from adc_core.storage.saved_dataset import save_dataset

COLORS = ("red", "lime", "blue", "white", "black", "gray", "teal")


@pytest.fixture
def files(tmp_path):
    root = tmp_path / "files"
    root.mkdir()
    for number, color in enumerate(COLORS):
        Image.new("RGB", (9 + number, 8), color).save(root / f"{number}.png")
    return ImageFiles(root, [f"{number}.png" for number in range(len(COLORS))])


@pytest.fixture
def shards(tmp_path, files):
    """The same images in the same order, three to a shard, shards filled from the last row."""
    root = tmp_path / "shards"
    root.mkdir()
    places = {}
    for first in range(0, len(files), 3):
        name = f"{first // 3:05}.tar"
        with tarfile.open(root / name, "w") as tar:
            for row in reversed(range(len(files))[first : first + 3]):
                tar.add(files.path(row), f"{row}.png")
        with tarfile.open(root / name) as tar:
            for member in tar:
                row = int(member.name.removesuffix(".png"))
                places[row] = (first // 3, member.offset_data, member.size)
    shard, offset, size = zip(*(places[row] for row in range(len(files))), strict=True)
    return ImageShards(root, [f"{n:05}.tar" for n in range(3)], shard, offset, size)


def test_images_and_fingerprint_are_those_of_the_files(files, shards):
    assert len(shards) == len(files)
    assert all(np.array_equal(one, other) for one, other in zip(shards, files, strict=True))
    assert shards.sums == files.sums
    assert shards.fingerprint == files.fingerprint
    assert shards.resized(4).tolist() == files.resized(4).tolist()


def test_taking_rows_keeps_their_order_and_known_sums(files, shards):
    rows = np.array([6, 0, 3, 3])
    taken = shards.take(rows)
    assert taken.fingerprint == files.take(rows).fingerprint
    columns = (shards.shard, shards.offset, shards.size, list("abcdefg"))
    known = ImageShards(shards.root, shards.names, *columns)
    assert known.take(rows).sums == ["g", "a", "d", "d"]


def test_known_sums_are_not_read_again(shards, tmp_path):
    fingerprint = shards.fingerprint
    known = ImageShards(
        tmp_path / "nowhere", shards.names, shards.shard, shards.offset, shards.size, shards.sums
    )
    assert known.fingerprint == fingerprint


def open_shards(root):
    """Name the files below `root` that this process holds open, where the system tells."""
    for descriptor in Path("/proc/self/fd").glob("*"):
        # A descriptor may close while the list is read: the list's own does.
        with suppress(OSError):
            if (path := descriptor.readlink()).is_relative_to(root):
                yield path.name


def test_an_open_shard_is_seen(shards):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system has no /proc that lists the open files of a process")
    with (shards.root / "00001.tar").open("rb"):
        assert list(open_shards(shards.root)) == ["00001.tar"]


def test_it_goes_to_another_process_and_keeps_no_file_open(shards):
    again = pickle.loads(pickle.dumps(shards))
    with ThreadPoolExecutor(8) as threads:
        shown = list(threads.map(lambda n: again[n % 7][0, 0].tolist(), range(200)))
    assert shown == [shards[n % 7][0, 0].tolist() for n in range(200)]
    # By name: what else this process holds open may be closed by a collection of garbage.
    assert not list(open_shards(shards.root))


@pytest.mark.parametrize("link", [False, True])
def test_saved_and_read_back(shards, tmp_path, link):
    dataset = Dataset(labels=[0, 1] * 3 + [0], images=shards, classes=("a", "b"))
    part = dataset.take(np.array([6, 1, 0]))
    (tmp_path / "saved").mkdir()
    if link:
        sums = DATASET.write(part, tmp_path / "saved")
        assert (tmp_path / "saved/images/00002.tar").stat().st_nlink == 2
        again = DATASET.read(tmp_path / "saved", sums)
    else:
        save_dataset(part, tmp_path / "saved")
        assert (tmp_path / "saved/images/00002.tar").stat().st_nlink == 1
        again = read_dataset(tmp_path / "saved")
    assert again == part
    kept = sorted(path.name for path in (tmp_path / "saved/images").iterdir())
    assert kept == ["00000.tar", "00002.tar", "index.parquet"]  # no row is in the shard between
    assert np.array_equal(again.images[0], shards[6])


def test_every_damage_of_a_saved_shard_is_named(shards, tmp_path):
    save_dataset(
        Dataset(labels=[0, 1] * 3 + [0], images=shards, classes=("a", "b")), tmp_path / "saved"
    )
    path = tmp_path / "saved/images/00001.tar"
    body = bytearray(path.read_bytes())
    body[700] ^= 1
    path.write_bytes(body)
    with pytest.raises(WorkError) as caught:
        read_dataset(tmp_path / "saved")
    assert str(caught.value) == (
        f"{path} is damaged (its SHA-256 differs): remove {tmp_path / 'saved'} to make it again"
    )


def test_shards_from_outside_are_saved_inside(shards, tmp_path):
    (tmp_path / "deep").mkdir()
    names = [f"../shards/{name}" for name in shards.names]
    outside = ImageShards(tmp_path / "deep", names, shards.shard, shards.offset, shards.size)
    dataset = Dataset(labels=[0, 1] * 3 + [0], images=outside, classes=("a", "b"))
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    save_dataset(dataset, tmp_path / "saved")
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(tmp_path / "saved") for path in new)
    assert read_dataset(tmp_path / "saved").images.fingerprint == shards.fingerprint


def test_missing_and_cut_shards(shards):
    path = shards.root / "00000.tar"
    content = path.read_bytes()
    path.write_bytes(content[: int(shards.offset[0]) + 5])
    with pytest.raises(ImageError) as caught:
        shards[0]
    place = f"{path} at byte {shards.offset[0]}"
    assert str(caught.value) == f"{place} is cut off: 00000.tar has been changed, put it back"
    assert caught.value.reason == "unreadable"
    path.unlink()
    with pytest.raises(ImageError) as caught:
        shards[0]
    assert str(caught.value) == f"{place} cannot be read: No such file or directory"


def test_a_damaged_image_is_named_by_its_place(tmp_path):
    (tmp_path / "0.tar").write_bytes(b"no image at all")
    with pytest.raises(ImageError) as caught:
        ImageShards(tmp_path, ["0.tar"], [0], [3], [7])[0]
    assert str(caught.value) == (
        f"{tmp_path / '0.tar'} at byte 3 is not an image: replace or remove it"
    )


@pytest.mark.parametrize(
    ("shard", "offset", "size", "sums", "message"),
    [
        ([0, 0], [0], [1], None, "image shards: columns of [1, 2] rows: give one length"),
        ([0], [0], [1], ["a", "b"], "image shards: columns of [1, 2] rows: give one length"),
        ([1], [0], [1], None, "image shards: an image is outside every shard: fix the index"),
        ([0], [-1], [1], None, "image shards: an image is outside every shard: fix the index"),
    ],
)
def test_columns_that_do_not_fit(tmp_path, shard, offset, size, sums, message):
    with pytest.raises(InputError) as caught:
        ImageShards(tmp_path, ["0.tar"], shard, offset, size, sums)
    assert str(caught.value) == message


def test_images_are_read_from_their_bytes_alone(files, shards):
    """Also where a reader of tar files would not find them."""
    with io.BytesIO(shards.read(2)) as file, Image.open(file) as image:
        assert image.getpixel((0, 0)) == (0, 0, 255)
