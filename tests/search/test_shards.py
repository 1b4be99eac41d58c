"""Tar shards: what any reader of tar files finds, and what is kept after a kill."""

import json
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.errors import WorkError
from adc_plugins_search.download.images.shards import (
    ShardWriter,
    finalize_shard,
    next_shard_number,
    tidy,
)
from adc_plugins_search.download.outcomes import Stored


def stored_as(image_bytes: bytes) -> Stored:
    total = sha256(image_bytes).hexdigest()
    return Stored("http://a.example/", 9, 8, "PNG", "P", 7, "raw", len(image_bytes), total, 5)


@settings(deadline=None)  # it writes files
@given(st.dictionaries(st.integers(0, 99), st.binary(max_size=1500), max_size=8))
def test_a_reader_of_tar_files_finds_every_image_where_it_was_said_to_lie(
    tmp_path_factory: pytest.TempPathFactory, images: dict[int, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    writer = ShardWriter(folder / "x.tar.part")
    places = {
        f"{key:020}": writer.add(f"{key:020}", body, stored_as(body), {"url": f"ü{key}"})
        for key, body in images.items()
    }
    assert writer.stored == places
    writer.close()
    with tarfile.open(folder / "x.tar.part") as tar:
        members = {member.name: member for member in tar}
        assert list(members) == [f"{key}.{kind}" for key in places for kind in ("jpg", "json")]
        for (key, place), body in zip(places.items(), images.values(), strict=True):
            assert members[f"{key}.jpg"].offset_data == place.offset
            assert tar.extractfile(f"{key}.jpg").read() == body
            assert json.load(tar.extractfile(f"{key}.json")) == {"url": f"ü{int(key)}"}


def test_names_are_numbers_that_go_on(tmp_path: Path) -> None:
    assert next_shard_number(tmp_path) == 0
    (tmp_path / "a.tar.part").touch()
    assert finalize_shard(tmp_path / "a.tar.part", 41) == "00041.tar"
    assert [path.name for path in tmp_path.iterdir()] == ["00041.tar"]
    assert next_shard_number(tmp_path) == 42


def test_tidying_leaves_what_is_known(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    tidy(folder, [])
    for name in ("00000.tar", "00001.tar", "7-0-0.tar.part", "decoding-0.part", "mine.txt"):
        (folder / name).touch()
    tidy(folder, ["00001.tar", "00002.tar"])
    assert sorted(path.name for path in folder.iterdir()) == ["00001.tar", "mine.txt"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkError) as raised:
        ShardWriter(tmp_path / "gone/x.tar.part")
    assert str(raised.value) == (
        f"{tmp_path / 'gone/x.tar.part'} cannot be written: No such file or directory"
    )
    with pytest.raises(WorkError) as raised:
        finalize_shard(tmp_path / "x.tar.part", 0)
    assert str(raised.value) == (
        f"{tmp_path / '00000.tar'} cannot be written: No such file or directory"
    )
