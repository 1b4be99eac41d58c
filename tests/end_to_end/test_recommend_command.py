"""`adc recommend` and `adc bench-detector` as users call them."""

from pathlib import Path

import numpy as np
import pytest

from adc_core import Pipeline, run_pipeline
from adc_core.cli import main
from adc_plugins_detect.trial.evidence import read_with_features


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with `arrays.npz`: 200 samples of three classes, some mislabelled."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 200)
    features = (3 * np.eye(3, 6)[truth] + random.normal(size=(200, 6))).astype(np.float32)
    labels = np.where(random.random(200) < 0.15, (truth + 1) % 3, truth)
    np.savez(tmp_path / "arrays.npz", labels=labels, features=features)
    np.savez(tmp_path / "bare.npz", labels=labels, probabilities=np.eye(3)[truth])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pipeline_is_recommended_and_runs(place, capsys):
    words = ["recommend", "arrays.npz", "--seeds", "1", "--samples", "150", "--to", "use.yaml"]
    assert main(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{150 - int(out[0].split()[2])} samples, ")
    assert out[0].endswith("wrong labels simulated: 5 kinds of noise, 5 trials")
    assert any(line.startswith("self-confidence ") for line in out)
    assert any(line.startswith("use ") for line in out)
    assert out[-1] == "pipeline: use.yaml"
    run = run_pipeline(Pipeline.read(place / "use.yaml"), place / "run")
    (found,) = run.findings.values()
    assert len(found.ids) == 200
    assert main(words) == 2
    assert capsys.readouterr().err == (
        "adc: use.yaml already exists: remove it, or give another --to\n"
    )


def test_images_get_features_that_the_pipeline_makes_again(place, capsys):
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 60)
    images = (truth[:, None, None, None] * 120 + random.integers(0, 99, (60, 8, 8, 3))).astype("u1")
    np.savez(place / "images.npz", labels=truth, images=images)
    words = ["recommend", "images.npz", "--fast", "--seeds", "1", "--out", "other"]
    assert main([*words, "--to", "use.yaml"]) == 0
    assert "adc: features of the encoder patches\n" in capsys.readouterr().err
    assert Pipeline.read(place / "use.yaml").encoder.name == "patches"
    assert (place / "other" / "encoder").is_dir()
    _, encoder = read_with_features(Path("images.npz"), "pixels", fast=True, folder=Path("third"))
    assert encoder.name == "pixels"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["bare.npz"], "bare.npz has no images nor features: give one of them"),
        (
            ["arrays.npz", "--encoder", "patches"],
            "arrays.npz has no images to encode: leave the encoder out",
        ),
        (
            ["arrays.npz", "--dynamics"],
            "--dynamics: arrays.npz has no images to train on: leave it out",
        ),
        (["arrays.npz", "--seeds", "0"], "--seeds is 0: give 1 or more"),
    ],
)
def test_wrong_input_of_recommend(place, capsys, words, says):
    assert main(["recommend", *words]) == 2
    assert capsys.readouterr().err == f"adc: {says}\n"


def test_one_detector_beside_others(place, capsys):
    pytest.importorskip("matplotlib")
    words = ["bench-detector", "deep-knn:k=5", "--dataset", "arrays.npz", "--seeds", "1"]
    assert main([*words, "--rate", "0.3", "--plot", "lines.png"]) == 0
    out = capsys.readouterr().out
    assert "; 30% wrong labels simulated: 5 kinds of noise, 5 trials" in out
    assert "estimated  symmetric  pair-flip  instance-dependent  confusable" in out
    assert out.count("\n* deep-knn:k=5 ") == 1
    assert "\nself-confidence " in out and " + " not in out
    assert (place / "lines.png").stat().st_size > 1000


def test_the_rate_matters(place, capsys):
    tables = []
    for rate in ("0.1", "0.4"):
        words = ["bench-detector", "cores", "--dataset", "arrays.npz", "--seeds", "1"]
        assert main([*words, "--rate", rate]) == 0
        tables.append(capsys.readouterr().out.split("\n\n")[1])
    assert tables[0] != tables[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["aum"], "aum reads training dynamics: add --dynamics, and a dataset of images"),
        (
            ["majority-votes"],
            "majority-votes reads votes, which trials do not make: they have features, images, "
            "neighbors, probabilities",
        ),
        (["cores", "--rate", "0.5"], "--rate is 0.5: give a share above 0 and below 0.5"),
        (["cores", "--seeds", "0"], "--seeds is 0: give 1 or more"),
    ],
)
def test_wrong_input_of_bench_detector(place, capsys, words, says):
    assert main(["bench-detector", *words]) == 2
    assert capsys.readouterr().err == f"adc: {says}\n"
