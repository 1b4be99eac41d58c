"""`adc detect` as users call it, on every form of dataset, in a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import yaml
from adc_process import run_adc
from PIL import Image

from adc_core import save_dataset
from adc_core.testing.toys import toy_dataset

ADC = str(Path(sys.executable).with_name("adc"))
CLASSES = ("blue", "green", "red")
ROWS = 240
WRONG = range(0, ROWS, 25)
"""Rows with a wrong label, of every class."""

FAST = "adc: fast: image patches alone\n"


def adc(folder, *words):
    return run_adc("detect", *words, cwd=folder)


def problem():
    """True labels, given labels and features of three well-separated classes."""
    rng = np.random.default_rng(3)
    truth = np.arange(ROWS) % 3
    given = truth.copy()
    given[list(WRONG)] = (given[list(WRONG)] + 1) % 3
    features = np.eye(3)[truth] * 5 + rng.normal(0, 0.5, (ROWS, 3))
    return truth, given, features.astype(np.float32)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the same samples as images, manifests and arrays."""
    folder = tmp_path_factory.mktemp("detect")
    rng = np.random.default_rng(4)
    truth, given, features = problem()
    names = [CLASSES[label] for label in given]
    for row in range(ROWS):
        pixels = rng.integers(0, 60, (12, 12, 3), np.uint8)
        pixels[4 * truth[row] : 4 * truth[row] + 4] += 180
        path = folder / "images" / names[row] / f"{row:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    rows = range(ROWS)
    ids = [f"s{row}" for row in rows]
    pyarrow.csv.write_csv(
        pa.table(
            {
                "id": ids,
                "path": [f"images/{names[row]}/{row:03}.png" for row in rows],
                "label": names,
            }
        ),
        folder / "list.csv",
    )
    pyarrow.csv.write_csv(
        pa.table({"id": ids, "label": [CLASSES[label] for label in truth]}), folder / "truth.csv"
    )
    pq.write_table(
        pa.table({"id": ids, "label": names, "features": pa.array(list(features))}),
        folder / "features.parquet",
    )
    weights = np.exp(features)
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    np.savez(folder / "predicted.npz", labels=given, probabilities=probabilities)
    save_dataset(toy_dataset(), folder / "saved")
    return folder


def flagged(path, detector):
    table = pyarrow.csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)
    column = table[f"{detector}.flagged"].to_pylist()
    return [id_ for id_, flag in zip(table["id"].to_pylist(), column, strict=True) if flag]


def test_an_image_folder(place):
    done = adc(place, "images", "--fast")
    assert done.returncode == 0, done.stderr
    assert done.stderr == FAST
    trust, verdicts, suspects, repair, written = done.stdout.split("\n\n")
    assert re.fullmatch(
        r"evidence: good: unseen labels are predicted 9\d% right \(the commonest class: 34%\), "
        r"9\d% of the nearest neighbors agree\n"
        r"  wrong labels stand out; look at the most suspicious ones first\n"
        r"wrong labels: about 4\.2 % \(.+ to .+ %\)\n"
        r"of the flagged labels, about \d+ % \(.+ to 100 %\) are wrong",
        trust,
    )
    assert repair.startswith("expected-gain: nothing is changed\n  nothing is changed: 4.2 % (")
    assert verdicts.split("\n")[0].split() == [
        "detector", "flagged", "share", "estimated", "noise", "suggestions",
    ]  # fmt: skip
    assert verdicts.split("\n")[1].split()[:2] == ["self-confidence", "10"]
    wrong = {f"{CLASSES[(row % 3 + 1) % 3]}/{row:03}.png": row for row in WRONG}
    head, *lines = suspects.split("\n")
    assert head == "most suspicious  given  suggested  flagged by"
    for line in lines:
        id_, given, suggested, *_ = line.split()
        assert given == id_.partition("/")[0]
        assert suggested == CLASSES[wrong[id_] % 3]
        assert line.endswith(" self-confidence")
    assert {line.split()[0] for line in lines} == wrong.keys()
    assert written == (
        "findings: runs/images-detect/findings.parquet\n"
        "pipeline: runs/images-detect/pipeline.yaml\n"
        "report: runs/images-detect/report.html\n"
    )
    out = place / "runs" / "images-detect"
    assert set(flagged(out / "findings.parquet", "self-confidence")) == wrong.keys()
    pipeline = yaml.safe_load((out / "pipeline.yaml").read_text())
    assert list(pipeline) == ["dataset", "encoder", "enrichers", "detectors", "curators"]


def test_a_manifest_with_its_truth(place):
    done = adc(place, "list.csv", "--fast", "--truth", "truth.csv", "--csv", "--out", "measured")
    assert done.returncode == 0, done.stderr
    assert done.stderr == FAST
    assert "\nlabels as collected" in done.stdout
    row = next(
        line.split()
        for line in done.stdout.splitlines()
        if line.startswith("self-confidence ") and line.count(".") > 2
    )
    assert float(row[1]) > 0.9 and float(row[2]) > 0.5
    assert not (place / "measured" / "findings.parquet").exists()
    found = flagged(place / "measured" / "findings.csv", "self-confidence")
    assert set(found) <= {f"s{row}" for row in WRONG}


def test_features_need_no_images_and_no_torch(place):
    code = (
        "import sys\nfrom adc_core.cli import main\n"
        "assert main(['detect', 'features.parquet', '--out', 'light']) == 0\n"
        "assert main(['detect', 'images', '--fast', '--out', 'light-images']) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == FAST
    found = flagged(place / "light" / "findings.parquet", "self-confidence")
    assert len({f"s{row}" for row in WRONG} & set(found)) >= len(WRONG) - 1
    assert len(found) < 2 * len(WRONG)


def test_probabilities_alone_do(place):
    done = adc(place, "predicted.npz")
    assert (done.returncode, done.stderr) == (0, "")
    table = pq.read_table(place / "runs" / "predicted-detect" / "findings.parquet")
    assert [name for name in table.column_names if name.endswith(".flagged")] == [
        "self-confidence.flagged"
    ]


def test_a_dataset_that_has_everything_is_left_as_it_is(place):
    done = adc(place, "saved", "--use", "aum:flag_rate=0.2", "--use", "simifeat:k=12,rule=vote")
    assert (done.returncode, done.stderr) == (0, "")
    pipeline = yaml.safe_load((place / "runs" / "saved-detect" / "pipeline.yaml").read_text())
    aum, simifeat = pipeline["detectors"]
    assert (aum["use"], aum["flag_rate"]) == ("adc-plugins-detect/aum", 0.2)
    assert (simifeat["k"], simifeat["rule"]) == (12, "vote")
    assert "encoder" not in pipeline and "enrichers" not in pipeline
    assert len(flagged(place / "runs" / "saved-detect" / "findings.parquet", "aum")) == 30


def test_an_encoder_of_ones_own(place):
    done = adc(
        place, *("images", "--use", "simifeat", "--out", "own"),
        *("--encoder", "pixels:image_size=6,components=null"),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert np.load(place / "own" / "encoder" / "features.npy").shape == (ROWS, 36)


def test_another_detector_reuses_what_is_there(place):
    first = adc(place, "images", "--fast", "--use", "simifeat", "--out", "again")
    assert first.returncode == 0, first.stderr
    before = (place / "again" / "findings.parquet").read_bytes()
    again = adc(place, "images", "--fast", "--use", "simifeat", "--out", "again").stdout
    reused = "reused: all 4 stages: nothing they depend on has changed\n"
    assert reused in again
    assert again.replace(reused, "") == first.stdout
    assert (place / "again" / "findings.parquet").read_bytes() == before
    more = adc(
        place, "images", "--fast", "--use", "simifeat", "--use", "deep-knn:k=5", "--out", "again"
    )
    assert more.returncode == 0, more.stderr
    stages = json.loads((place / "again" / "run.json").read_text())["stages"]
    assert {name: stage["reused"] for name, stage in stages.items()} == {
        "dataset": True,
        "encoder": True,
        "enrichers/neighbors": True,
        "detectors/simifeat": True,
        "detectors/deep-knn": False,
    }


def test_nothing_flagged_is_said(place):
    labels = np.arange(40) % 2
    np.savez(place / "clean.npz", labels=labels, probabilities=np.eye(2)[labels])
    done = adc(place, "clean.npz", "--use", "confident-learning")
    assert done.returncode == 0, done.stderr
    assert "\n\nno label is flagged\n\n" in done.stdout


def test_an_id_cannot_steer_the_terminal(place):
    _, given, features = problem()
    ids = [f"\x1b[31m{row}" for row in range(ROWS)]
    np.savez(place / "steering.npz", labels=given, features=features, ids=ids)
    done = adc(place, "steering.npz", "--use", "simifeat")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "?[31m100" in done.stdout


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["nowhere"],
            ["nowhere does not exist: give a folder, a manifest or a .npz file"],
        ),
        (
            ["predicted.npz", "--use", "simifeat"],
            [
                '--use simifeat: it reads "neighbors", and predicted.npz has neither that nor '
                "features nor images to make it from: give one of them"
            ],
        ),
        (
            ["features.parquet", "--use", "aum", "--use", "simifeat"],
            [
                '--use aum: it reads "dynamics", and features.parquet has neither that nor '
                "images to make it from: give one of them"
            ],
        ),
        (
            ["images", "--use", "simifeet", "--use", "simifeat:k=x", "--encoder", "pixel"],
            [
                '--use simifeet: adc.detectors has no "simifeet": did you mean "simifeat"?',
                "--use simifeat: k: Input should be a valid integer, unable to parse string as "
                "an integer",
                '--encoder pixel: adc.encoders has no "pixel": did you mean "pixels"?',
            ],
        ),
        (
            ["features.parquet", "--encoder", "pixels"],
            ['--encoder pixels: it reads "images", which features.parquet does not have: '
             "leave the encoder out"],
        ),
        (
            ["features.parquet", "--truth", "nowhere.csv"],
            ["truth: nowhere.csv does not exist: fix the path"],
        ),
        (
            ["features.parquet", "--out", "images"],
            ["images is not empty and not a run directory: choose another --out"],
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_per_fault(place, words, lines):
    out = [] if "--out" in words else ["--out", "never"]
    done = adc(place, *words, *out)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    said = [line for line in done.stderr.splitlines() if not line.startswith("adc: added")]
    assert said == [f"adc: {line}" for line in lines]
    assert not (place / "never").exists()


def test_a_closed_pipe_costs_no_findings(place):
    done = subprocess.run(
        f"{ADC} detect predicted.npz --out piped 2>/dev/null | true",
        shell=True,
        cwd=place,
        check=False,
    )
    assert done.returncode == 0
    assert (place / "piped" / "findings.parquet").exists()
