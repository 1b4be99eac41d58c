import io
import json
import tarfile

import pytest
from PIL import Image

from adc_core.errors import InputError
from adc_core.storage.readers import read_dataset
from adc_core.storage.saved_dataset import save_dataset


def image(shade, form="PNG"):
    file = io.BytesIO()
    Image.new("RGB", (3, 2), (shade, 0, 0)).save(file, form)
    return file.getvalue()


def write(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def shades(dataset):
    return [int(pixels[0, 0, 0]) for pixels in dataset.images]


def test_img2dataset(tmp_path):
    """As img2dataset writes shards where the list had a column `label`."""
    for shard in range(2):
        members = []
        for row in range(3):
            key = f"{shard:05}{row:04}"
            about = {"url": f"http://a/{key}", "label": ["shirt", "coat"][row % 2], "width": 3}
            about |= {"key": key, "status": "success", "error_message": None, "exif": "{}"}
            members += [
                (f"{key}.jpg", image(100 * shard + row)),
                (f"{key}.json", json.dumps(about).encode()),
                (f"{key}.txt", b"a caption"),
            ]
        write(tmp_path / f"{shard:05}.tar", members)
        (tmp_path / f"{shard:05}_stats.json").write_text("{}")
    read = read_dataset(tmp_path)
    assert read.classes == ("coat", "shirt")
    assert read.labels.tolist() == [1, 0, 1] * 2
    assert shades(read) == [0, 1, 2, 100, 101, 102]
    assert read.ids.tolist()[3] == "000010000"
    assert read.sources["url"][3].as_py() == "http://a/000010000"
    assert "label" not in read.sources.column_names
    save_dataset(read, tmp_path / "saved")
    assert read_dataset(tmp_path / "saved") == read


def test_numbers_without_names(tmp_path):
    members = [
        (f"a/{row}.{kind}", content)
        for row in (0, 4)
        for kind, content in (("jpeg", image(row)), ("cls", str(row).encode()))
    ]
    write(tmp_path / "x.tar", members)
    read = read_dataset(tmp_path)
    assert read.classes == ("0", "1", "2", "3", "4")
    assert read.labels.tolist() == [0, 4]
    assert read.ids.tolist() == ["a/0", "a/4"]
    (tmp_path / "classes.txt").write_text("v\nw\nx\ny\nz\n")
    assert read_dataset(tmp_path).classes == tuple("vwxyz")
    (tmp_path / "classes.txt").write_bytes(b"v\r\nw\nx\ny\nz")
    assert read_dataset(tmp_path).classes == tuple("vwxyz")
    (tmp_path / "classes.txt").write_text("v\nw\x85x\ny\nz\n", encoding="utf-8")
    with pytest.raises(InputError, match="names 4 classes"):
        read_dataset(tmp_path)
    (tmp_path / "classes.txt").write_text("v\nw\n")
    with pytest.raises(InputError) as error:
        read_dataset(tmp_path)
    assert str(error.value) == f"{tmp_path}/classes.txt names 2 classes: name all of .cls"


def test_the_same_keys_in_two_shards(tmp_path):
    for name in "ab":
        write(
            tmp_path / f"{name}.tar",
            [(f"{k}.{s}", c) for k in "01" for s, c in (("png", image(9)), ("cls", k.encode()))],
        )
    assert read_dataset(tmp_path).ids.tolist() == ["a/0", "a/1", "b/0", "b/1"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("1.cls", b"0")], "1 has no image: remove it"),
        ([("1.png", b"x")], "1 has no label: give it 1.cls, or label in 1.json"),
        ([("1.png", b"x"), ("1.json", b"[]")], "1 has no label: give it 1.cls, or label in 1.json"),
    ],
)
def test_samples_that_are_not_whole(tmp_path, members, message):
    write(tmp_path / "x.tar", members)
    with pytest.raises(InputError) as error:
        read_dataset(tmp_path)
    assert str(error.value) == f"{tmp_path / 'x.tar'}: {message}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"no tar at all, but long enough" * 40, "invalid header"), (None, "invalid literal")],
)
def test_shards_that_cannot_be_read(tmp_path, content, reason):
    if content is None:
        write(tmp_path / "x.tar", [("1.png", b"x"), ("1.cls", b"one")])
    else:
        (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_dataset(tmp_path)
    assert str(error.value).startswith(
        f"{tmp_path / 'x.tar'} cannot be read as tar shard ({reason}"
    )
    assert str(error.value).endswith("): replace it")


def test_nothing_in_a_shard(tmp_path):
    write(tmp_path / "x.tar", [])
    with pytest.raises(InputError) as error:
        read_dataset(tmp_path)
    assert str(error.value) == f"{tmp_path} holds no samples: its tar files have none"


def test_facts_that_only_some_samples_have(tmp_path):
    """Columns are the facts of any sample, texts where their kinds differ."""
    facts = [{"label": "a"}, {"label": "b", "score": 0.5}, {"label": "a", "score": "high", "n": 1}]
    write(
        tmp_path / "0.tar",
        [
            member
            for row, told in enumerate(facts)
            for member in ((f"{row}.png", image(row)), (f"{row}.json", json.dumps(told).encode()))
        ],
    )
    sources = read_dataset(tmp_path).sources
    assert sources.to_pydict() == {"score": [None, "0.5", "high"], "n": [None, None, 1]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" " * ((1 << 20) + 1), "0.json has 1,048,577 bytes"),
        (b"[" * 100_000, "maximum recursion depth exceeded"),
    ],
)
def test_what_stands_beside_an_image_is_short_and_flat(tmp_path, content, reason):
    write(tmp_path / "0.tar", [("0.png", image(0)), ("0.json", content)])
    with pytest.raises(InputError) as raised:
        read_dataset(tmp_path)
    message = str(raised.value)
    assert message.startswith(f"{tmp_path / '0.tar'} cannot be read as tar shard ({reason}")
    assert message.endswith("): replace it")
