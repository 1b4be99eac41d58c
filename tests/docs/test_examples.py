"""Every example of the docs runs, or at least is what it says."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from adc_process import run_program

from adc_core import Dataset, Pipeline, read_dataset, save_dataset
from adc_core.cli import main
from adc_plugins_compare import Comparison

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *sorted({*(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "from-cleanlab.md"}),
    ROOT / "adc_core" / "README.md",
]
"""The plugin packages' READMEs and the page for people who know cleanlab are run by their own
tests, which have the arrays to show."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language):
    return [
        pytest.param(text, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, (kind, text) in enumerate(BLOCK.findall(page.read_text()))
        if kind == language
    ]


@pytest.mark.parametrize(
    "text",
    # Files that begin with their name are run by the tests of packaging, with what they need.
    [one for one in blocks("yaml") if not one.values[0].startswith("# ")],
)
def test_pipelines_are_right(text):
    Pipeline.model_validate(yaml.safe_load(text))


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "examples").rglob("*.yaml")))
def test_the_files_of_examples_are_right(path):
    if path.parent.name == "tables":
        assert Comparison.read(path).cells()
    else:
        Pipeline.read(path)


def test_the_studies_of_raters_have_their_digits(tmp_path, capsys):
    """What their program writes is what the pipelines read."""
    studies = tmp_path / "docs" / "examples" / "raters"
    shutil.copytree(ROOT / "docs" / "examples" / "raters", studies)
    made = runpy.run_path(str(studies / "make_digits.py"))
    made["main"](tmp_path / "runs" / "rater-digits", epochs=1)
    files = sorted(studies.glob("*.yaml"))
    assert len(files) == 5
    for path in files:
        assert main(["check", str(path)]) == 0, capsys.readouterr().err
    even, unequal = (read_dataset(studies / f"../../../runs/rater-digits/{name}.csv")
                     for name in ("balanced", "imbalanced"))  # fmt: skip
    assert len(even) == len(unequal) == 700
    true = read_dataset(studies / "../../../runs/rater-digits/parity-truth.csv")
    labels = dict(zip(true.ids.tolist(), true.labels.tolist(), strict=True))
    for dataset, share in ((even, 0.5), (unequal, 0.8)):
        odd = [labels[one] for one in dataset.ids.tolist()]
        assert np.mean(odd) == share
        assert 0.1 < np.mean(dataset.labels != odd) < 0.5, "as raters labelled them"


@pytest.mark.parametrize("text", blocks("python"))
def test_python_runs(text, tmp_path):
    """Each program runs as it stands; those of the tutorials find what they talk about."""
    write_a_project(tmp_path)
    done = run_program(text, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def write_a_project(folder):
    """What the examples name: a detector of one's own, a pipeline file with a small dataset."""
    example = ROOT / "docs" / "examples" / "acme_adc_detector"
    (folder / "acme_adc_detector.py").write_text((example / "acme_adc_detector.py").read_text())
    (folder / "data.csv").write_text(
        "id,label\n" + "".join(f"{row},{'ab'[row % 2]}\n" for row in range(10))
    )
    (folder / "cats.yaml").write_text("dataset: data.csv\n")
    labels = np.arange(40) % 2
    features = (labels[:, None] + np.random.default_rng(0).normal(size=(40, 3))).astype(np.float32)
    photos = Dataset(ids=[str(row) for row in range(40)], labels=labels, classes=("a", "b"))
    save_dataset(photos.replace(features=features), folder / "photos")


def test_the_tutorial_shows_the_example_package():
    page = (ROOT / "docs" / "publish-a-detector.md").read_text()
    source = (ROOT / "docs" / "examples" / "acme_adc_detector" / "acme_adc_detector.py").read_text()
    shown = next(text for kind, text in BLOCK.findall(page) if "class Majority" in text)

    def code(text):
        lines = [line.strip() for line in text.splitlines()]
        return [line for line in lines if line and not line.startswith(("#", '"""'))]

    assert code(shown) == code(source)


@pytest.mark.install
def test_the_example_package_keeps_its_promises(tmp_path):
    """Installed as its tutorial says, found by `adc`, and its own test passes."""
    example = ROOT / "docs" / "examples" / "acme_adc_detector"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--target", str(tmp_path), str(example)),
        ],
        check=True,
        capture_output=True,
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    adc = Path(sys.executable).with_name("adc")
    done = subprocess.run(
        [adc, "check", "detectors", "majority"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    own = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", example],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert own.returncode == 0, own.stdout
