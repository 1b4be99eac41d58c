"""`adc health` as users call it: planted defects are found, clean images hardly flagged."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from adc_process import run_adc
from PIL import Image, ImageFilter

ADC = str(Path(sys.executable).with_name("adc"))
NAMES = ("cat", "dog", "emu")
ROWS = 300


def adc(folder, *words):
    return run_adc("health", *words, cwd=folder)


def real_images(data):
    with Image.open(data / "cifar10" / "train_00.avif") as mosaic:
        pixels = np.asarray(mosaic.convert("RGB"))
    rows, columns = pixels.shape[0] // 32, pixels.shape[1] // 32
    tiles = pixels.reshape(rows, 32, columns, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)
    return [Image.fromarray(tile) for tile in tiles]


def is_colored(image):
    pixels = np.asarray(image).astype(int)
    return np.quantile(pixels.max(axis=2) - pixels.min(axis=2), 0.99) > 16


@pytest.fixture(scope="module")
def place(shared_data, tmp_path_factory):
    """`photos`: 300 real images in two splits of three classes, and planted ones."""
    folder = tmp_path_factory.mktemp("health")
    images = [one for one in real_images(shared_data) if is_colored(one)][:ROWS]
    rng = np.random.default_rng(0)

    def put(path, image, **how):
        path = folder / "photos" / path
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **how)

    for row, image in enumerate(images):
        split = "test" if row % 5 == 0 else "train"
        put(f"{split}/{NAMES[row % 3]}/{row:03}.png", image)
    put("test/dog/exact.png", images[1])
    put("train/dog/small.png", images[4].resize((24, 24), Image.Resampling.BICUBIC))
    put("train/emu/jpeg.jpg", images[8], quality=60)
    put("train/cat/other.png", images[7].resize((48, 48), Image.Resampling.BICUBIC))
    put("train/cat/black.png", Image.new("RGB", (32, 32), "black"))
    put("train/cat/white.png", Image.new("RGB", (32, 32), "white"))
    put("train/cat/plain.png", Image.new("RGB", (32, 32), (90, 130, 60)))
    put("train/cat/noise.png", Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)))
    put("train/cat/blurred.png", images[12].filter(ImageFilter.GaussianBlur(2)))
    put("train/cat/grey.png", images[21].convert("L"))
    put("train/cat/tiny.png", images[31].resize((10, 10)))
    put("train/cat/wide.png", images[41].resize((160, 32)))
    content = io.BytesIO()
    images[0].resize((64, 64)).save(content, "JPEG")
    (folder / "photos/train/cat/cut.jpg").write_bytes(content.getvalue()[:-300])
    (folder / "photos/train/cat/junk.jpg").write_bytes(b"<html>")
    return folder


@pytest.fixture(scope="module")
def found(place):
    done = adc(place, "photos")
    assert done.returncode == 0, done.stderr
    folder = place / "runs" / "photos-health"
    table = pq.read_table(folder / "health.parquet").to_pylist()
    return done, folder, {line["image"]: line for line in table}


def test_each_planted_defect_is_found(found):
    lines = found[2]
    for name, check in (
        ("test/dog/exact.png", "exact_copy"),
        ("train/dog/small.png", "near_copy"),
        ("train/emu/jpeg.jpg", "near_copy"),
        ("train/cat/other.png", "copy_with_another_label"),
        ("train/cat/black.png", "dark"),
        ("train/cat/white.png", "bright"),
        ("train/cat/plain.png", "low_information"),
        ("train/cat/noise.png", "noise"),
        ("train/cat/blurred.png", "blurred"),
        ("train/cat/grey.png", "grey"),
        ("train/cat/tiny.png", "odd_size"),
        ("train/cat/wide.png", "odd_aspect"),
    ):
        assert lines[name][check], (name, check)
    assert lines["train/cat/junk.jpg"]["broken"] == "not an image"
    assert lines["train/cat/cut.jpg"]["broken"].startswith("damaged (")
    assert lines["train/cat/junk.jpg"]["dark"] is None
    assert lines["train/dog/small.png"]["duplicate_group"] == "train/dog/004.png"
    assert lines["train/dog/007.png"]["copy_with_another_label"]


def test_clean_images_are_hardly_flagged(found):
    clean = [line for name, line in found[2].items() if name[-7:-4].isdigit()]
    originals = {1, 4, 7, 8, 12, 21, 31, 41}
    assert len(clean) == ROWS
    flags = (
        "dark", "bright", "low_information", "noise", "blurred", "grey", "odd_size",
        "odd_aspect", "outlier", "exact_copy", "near_copy", "copy_with_another_label",
    )  # fmt: skip
    wrong = {
        flag: [line["image"] for line in clean
               if line[flag] and int(line["image"][-7:-4]) not in originals]
        for flag in flags
    }  # fmt: skip
    assert all(len(names) <= 2 for names in wrong.values()), wrong


def test_what_is_printed(found):
    done, folder, _ = found
    for line in (
        "broken file                  2  0.6 %  train/cat/cut.jpg (damaged",
        "exact copy                   2  0.6 %  test/dog/exact.png, train/dog/001.png\n",
        "1 of 61 samples of test (1.6 %) have a copy in train, 1 of them byte for byte\n",
        "Features: the encoder patches. Models that have not seen a sample's label predict it for ",
        "That is weak: take outliers, confusions and overlaps for hints",
        f"html: {folder.relative_to(folder.parents[1])}/health.html\n",
    ):
        assert line in done.stdout
    assert "adc: added the encoder patches: choose another with --encoder\n" in done.stderr


def test_the_summary_holds_every_figure_with_what_it_is_measured_against(found):
    summary = json.loads((found[1] / "health.json").read_text())
    assert summary["samples"] == ROWS + 14
    assert summary["broken"] == 2
    for check in summary["checks"].values():
        assert check["measure"]
        assert check["threshold"]
    assert summary["duplicate_radius"] == 6
    assert summary["evidence"]["features"] == "the encoder patches"
    low, high = summary["evidence"]["predicted_as_labelled"]["interval_95"]
    assert low < summary["evidence"]["predicted_as_labelled"]["share"] < high
    (order,) = summary["orders"]  # folders are read class by class: labels are in no order
    assert order["permutations"] == 199
    assert 0 < order["p_value"] <= 1
    assert sum(one["samples"] for one in summary["classes"]) == ROWS + 12
    assert {one["name"]: one["broken"] for one in summary["classes"]} == {
        "cat": 2, "dog": 0, "emu": 0,
    }  # fmt: skip


def test_run_again_nothing_is_computed_and_nothing_changes(place, found):
    done, folder, _ = found
    before = {name: (folder / name).read_bytes() for name in ("health.parquet", "health.json")}
    again = adc(place, "photos")
    assert again.stdout == done.stdout
    stages = json.loads((folder / "run.json").read_text())["stages"]
    assert stages
    assert all(stage["reused"] for stage in stages.values())
    assert all((folder / name).read_bytes() == content for name, content in before.items())


def test_other_options_need_another_directory(place, found):
    done = adc(place, "photos", "--encoder", "pixels:image_size=8")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "adc: runs/photos-health holds results with other options, see its pipeline.yaml: "
        "choose another --out"
    )
    strict = adc(place, "photos", "--strict", "--out", "strict")
    assert strict.returncode == 2
    assert "adc: train/cat/junk.jpg: not an image: replace or remove it\n" in strict.stderr


def test_a_sorted_list_of_features(tmp_path):
    """No images: outliers, classes and the order of labels are still told."""
    rng = np.random.default_rng(0)
    labels = np.sort(np.arange(200) % 4)
    features = 5 * np.eye(4, 8)[labels] + rng.normal(0, 1, (200, 8))
    features[17] = -6
    np.savez(tmp_path / "sorted.npz", labels=labels, features=features.astype(np.float32))
    done = adc(tmp_path, "sorted.npz")
    assert done.returncode == 0, done.stderr
    assert (
        "label differs from the one before: 0.02 of what 199 random orders give, p = 0.005 (200 "
        "looked at): the order carries information: shuffle before you split" in done.stdout
    )
    table = pq.read_table(tmp_path / "runs" / "sorted-health" / "health.parquet")
    assert table["outlier"].to_pylist()[17]
    assert "dark" not in table.column_names
    wrong = adc(tmp_path, "sorted.npz", "--encoder", "pixels", "--out", "x")
    assert wrong.stderr == (
        "adc: --encoder: sorted.npz has no images to encode: leave the encoder out\n"
    )


def test_the_page_shows_what_was_found(found):
    page = (found[1] / "health.html").read_text()
    for text in ("copy with another label", "one tone", "<b>Leak.</b> 1 of 61 samples of test"):
        assert text in page
    assert page.count("<img") > 15
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_the_page_fits_a_browser(found, browser, tmp_path):
    for width in (1280, 400):
        shot = tmp_path / f"{width}.png"
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto((found[1] / "health.html").resolve().as_uri())
        page.screenshot(path=shot)
        page.close()
        pixels = np.asarray(Image.open(shot).convert("L"))
        assert pixels.shape[1] == width
        assert pixels.std() > 5  # something is drawn
