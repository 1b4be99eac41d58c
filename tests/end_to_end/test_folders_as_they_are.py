"""`adc detect` and `adc export` on folders as people keep them: splits, broken files, truth."""

import csv
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from adc_process import run_adc
from PIL import Image

ADC = str(Path(sys.executable).with_name("adc"))


def adc(folder, *words):
    return run_adc(*words, cwd=folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """`photos`: splits of two classes, four broken files, a hidden and an empty folder."""
    folder = tmp_path_factory.mktemp("folders")
    rng = np.random.default_rng(0)
    for row in range(60):
        split, name = ("test" if row % 5 == 0 else "train"), ("dark", "light")[row % 2]
        low = 130 * (row % 2)
        path = folder / "photos" / split / name / f"{row:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(low, low + 120, (16, 16, 3), np.uint8)).save(path)
    train = folder / "photos" / "train"
    (train / "dark" / "broken1.png").write_bytes(b"junk")
    (train / "light" / "broken2.png").write_bytes(b"")
    (train / "light" / "broken3.png").write_bytes(path.read_bytes()[:100])
    (train / "light" / "broken4.jpg").write_bytes(b"<html>")
    (train / "empty").mkdir()
    (train / "dark" / ".ipynb_checkpoints").mkdir()
    return folder


SAID = """\
adc: warning: photos: read as splits, not as classes: test (12), train (52); 2 classes; \
to read one split alone, give its folder
adc: warning: photos: left out class folders without images: train/empty
adc: warning: photos: left out hidden folders: .ipynb_checkpoints
"""
LEFT_OUT = (
    "adc: warning: left out 4 of 64 images, which cannot be used: train/dark/broken1.png (not an "
    "image), train/light/broken2.png (empty), train/light/broken3.png (damaged) and 1 more; "
)


def test_detect_reads_splits_and_leaves_out_what_is_broken(place):
    done = adc(place, "detect", "photos", "--fast", "--use", "simifeat:k=5", "--out", "a")
    assert done.returncode == 0, done.stderr
    assert SAID in done.stderr
    assert LEFT_OUT + "a/dataset/broken.csv lists all\n" in done.stderr
    findings = pq.read_table(place / "a" / "findings.parquet")
    assert len(findings) == 60
    assert set(findings["class"].to_pylist()) == {"dark", "light"}
    with (place / "a" / "dataset" / "broken.csv").open() as file:
        assert [line["reason"] for line in csv.DictReader(file)] == [
            "not an image", "empty", "damaged", "not an image",
        ]  # fmt: skip
    strict = adc(
        place, "detect", "photos", "--fast", "--use", "simifeat:k=5", "--out", "b", "--strict"
    )
    assert strict.returncode == 2
    refused = [line for line in strict.stderr.splitlines() if "replace" in line]
    assert [line.split(":")[1] for line in refused] == [
        " train/dark/broken1.png", " train/light/broken2.png", " train/light/broken3.png",
        " train/light/broken4.jpg",
    ]  # fmt: skip


def test_a_list_with_paths_that_lead_nowhere(place):
    rows = ["path,label"]
    rows += [f"photos/train/{'dark' if row % 2 == 0 else 'light'}/{row:02}.png,{row % 2}"
             for row in range(60) if row % 5]  # fmt: skip
    (place / "list.csv").write_text("\n".join([*rows, "gone/1.png,0", "gone/2.png,1"]) + "\n")
    done = adc(place, "detect", "list.csv", "--fast", "--use", "simifeat:k=5", "--out", "c")
    assert done.returncode == 0, done.stderr
    assert (
        "adc: warning: left out 2 of 50 images, which cannot be used: gone/1.png (missing), "
        "gone/2.png (missing); c/dataset/broken.csv lists all\n"
    ) in done.stderr


def test_export_copies_no_broken_file_and_keeps_splits(place):
    done = adc(place, "export", "photos", "--as", "image-folder", "--to", "exported")
    assert done.returncode == 0, done.stderr
    assert done.stderr == SAID + LEFT_OUT + "exported/changes.csv lists all\n"
    assert len(list((place / "exported" / "test").rglob("*.png"))) == 12
    assert len(list((place / "exported" / "train").rglob("*.png"))) == 48
    again = adc(place, "detect", "exported", "--fast", "--use", "simifeat:k=5", "--out", "d")
    assert again.returncode == 0, again.stderr
    assert "read as splits, not as classes: test (12), train (48); 2 classes" in again.stderr
    strict = adc(place, "export", "photos", "--as", "webdataset", "--to", "no", "--strict")
    assert (strict.returncode, (place / "no").exists()) == (2, False)


def test_the_truth_says_that_no_class_is_right(place):
    """Of twelve samples two belong to no class; the noise rate counts them as wrong."""
    shutil.copytree(place / "photos" / "test", place / "twelve")
    paths = sorted((place / "twelve").rglob("*.png"))
    rows = [f"{path.relative_to(place / 'twelve').as_posix()},{path.parent.name}" for path in paths]
    rows[0] = rows[0].partition(",")[0] + ",none"
    rows[7] = rows[7].partition(",")[0] + ",none"
    (place / "truth.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    words = ("--fast", "--use", "simifeat:k=5", "--truth", "truth.csv", "--out", "e")
    done = adc(place, "detect", "twelve", *words)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("labels as collected")]
    assert line.split()[-1] == "0.167"
    page = (place / "e" / "report.html").read_text()
    assert "<b>16.7 %</b><span>truly wrong labels</span>" in page
