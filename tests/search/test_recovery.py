"""Recovery: what lies as it was stored stays, whatever else an attempt has left."""

from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from adc_plugins_search.download.images.shards import ShardWriter
from adc_plugins_search.download.journal import Journal
from adc_plugins_search.download.outcomes import Reason, Refused, Stored
from adc_plugins_search.download.results import recovery


@pytest.mark.parametrize("at_once", [1, 32])
def test_only_damaged_images_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(recovery, "_SHARDS_AT_ONCE", at_once)
    folder = tmp_path / "images"
    folder.mkdir()
    places: dict[str, Stored] = {}
    for name in ("00000.tar", "00001.tar", "00002.tar"):
        writer = ShardWriter(folder / name)
        for n in range(3):
            body = f"{name} {n}".encode()
            total = sha256(body).hexdigest()
            stored = Stored("u", 9, 8, "PNG", "P", 7, "raw", len(body), total, 5)
            place = writer.add(f"{n}", body, stored, {})
            places[f"{name} {n}"] = replace(place, shard=name)
        writer.close()
    content = bytearray((folder / "00001.tar").read_bytes())
    content[places["00001.tar 1"].offset] ^= 1
    (folder / "00001.tar").write_bytes(content)
    (folder / "00000.tar").unlink()
    (folder / "00003.tar").touch()
    refused = Refused(Reason.NOT_FOUND, "HTTP 404")
    with closing(Journal(tmp_path / "j.sqlite", "rules")) as journal:
        journal.add_outcomes([*places.items(), ("gone", refused)])
        recovery.recover(journal, folder)
        left = {key for key in places if journal.outcome(key) == places[key]}
        assert left == {"00001.tar 0", "00001.tar 2", *(f"00002.tar {n}" for n in range(3))}
        assert all(journal.outcome(key) is None for key in places.keys() - left)
        assert journal.outcome("gone") == refused
    assert sorted(path.name for path in folder.iterdir()) == ["00001.tar", "00002.tar"]
