"""Images that cannot be read: left out of what is exported, and told."""

import pyarrow.parquet as pq
import pytest
from photo_folder import FORMS, PIPELINE, ROWS, adc, paint, read_list


@pytest.fixture
def broken(tmp_path):
    """A folder with images that cannot be read, of every kind."""
    paint(tmp_path)
    photos = tmp_path / "photos" / "high"
    whole = next(photos.glob("*.png")).read_bytes()
    (photos / "zz1.png").write_bytes(b"junk")
    (photos / "zz2.jpg").write_bytes(b"")
    (photos / "zz3.png").write_bytes(whole[: len(whole) // 2])
    return tmp_path


@pytest.mark.parametrize("form", FORMS)
def test_unreadable_images_are_left_out_and_told(broken, form):
    written, told = adc(broken, "export", "photos", "--as", form, "--to", "x")
    assert written == f"{ROWS} samples: x\n"
    assert told == (
        "adc: warning: left out 3 of 123 images, which cannot be used: high/zz1.png (not an "
        "image), high/zz2.jpg (empty), high/zz3.png (damaged); x/changes.csv lists all\n"
    )
    listed = read_list(broken / "x" / "changes.csv")
    assert [(line["id"], line["action"], line["reason"]) for line in listed] == [
        ("high/zz1.png", "leave out", "not an image"),
        ("high/zz2.jpg", "leave out", "empty"),
        ("high/zz3.png", "leave out", "damaged"),
    ]
    assert pq.read_table(broken / "x" / "samples.parquet").num_rows == ROWS
    assert not list((broken / "x").rglob("zz*"))
    assert "cannot be used: 3 images." in (broken / "x" / "README.md").read_text()


def test_images_that_a_run_left_out_are_told_too(broken):
    (broken / "p.yaml").write_text(PIPELINE)
    adc(broken, "run", "p.yaml")
    _, told = adc(broken, "export", "runs/p", "--as", "image-folder", "--to", "x")
    assert "adc: the run left out 3 images that cannot be used: x/changes.csv lists all\n" in told
    left = [
        line["id"]
        for line in read_list(broken / "x" / "changes.csv")
        if line["action"] == "leave out"
    ]
    assert left == ["high/zz1.png", "high/zz2.jpg", "high/zz3.png"]
    moves = adc(broken, "export", "runs/p", "--as", "moves", "--to", "moves.csv")[0]
    assert moves == "4 moves, 11 removals: moves.csv\n"


def test_strict_refuses_unreadable_images(broken):
    _, told = adc(
        broken, "export", "photos", "--as", "image-folder", "--to", "x", "--strict", code=2
    )
    lines = told.splitlines()
    assert lines[:2] == [
        "adc: high/zz1.png: not an image: replace or remove it",
        "adc: high/zz2.jpg: empty: replace or remove it",
    ]
    assert lines[2].startswith("adc: high/zz3.png: damaged (") and len(lines) == 3
    assert not (broken / "x").exists()
