"""Finished runs read back: the same records, or one line that says what is wrong."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from adc_core import (
    InputError,
    Pipeline,
    WorkError,
    read_collected,
    read_run,
)
from adc_core.runs.listeners import Listeners
from adc_core.runs.run_reader import left_out_images
from adc_core.runs.runner import collect_pipeline, run_pipeline
from adc_core.storage.readers import read_dataset

CLASSES = ("blue", "green", "red")

GIVEN = """
dataset: photos
test: trusted
truth: truth.csv
encoder: toy
simulators: [toy]
enrichers: [toy, toy-column]
detectors: [toy]
curators: [toy]
learners: [toy]
metrics: [toy]
"""


@pytest.fixture
def write(tmp_path, toys):
    def pipeline(text):
        (tmp_path / "pipeline.yaml").write_text(text)
        return Pipeline.read(tmp_path / "pipeline.yaml")

    return pipeline


@pytest.fixture
def photos(tmp_path):
    """Images of three colours in class folders, every seventh in a wrong one; and the truth."""
    rng, lines = np.random.default_rng(0), ["id,label"]
    for folder, rows in (("photos", 42), ("trusted", 6)):
        for row in range(rows):
            pixels = rng.integers(0, 100, (8, 8, 3))
            pixels[:, :, row % 3] += 120
            wrong = folder == "photos" and row % 7 == 0
            name = CLASSES[(row + wrong) % 3]
            path = tmp_path / folder / name / f"{row:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
            lines += [f"{name}/{row:02}.png,{CLASSES[row % 3]}"] if folder == "photos" else []
    (tmp_path / "truth.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "photos"


def test_a_collected_run_comes_back_whole(tmp_path, write, toys):
    run = run_pipeline(write(toys.PIPELINE), tmp_path / "run", Listeners())
    toys.CALLS.clear()
    read = read_run(tmp_path / "run")
    assert toys.CALLS == []
    assert read == run
    assert list(read.findings) == ["toy", "toy-2"]
    assert len(read.curated) < len(read.collected) == 60
    assert [training.subject for training in read.trainings] == ["toy on raw", "toy on curated"]


def test_a_run_on_a_given_dataset_comes_back_whole(tmp_path, write, photos, monkeypatch):
    run = run_pipeline(write(GIVEN), tmp_path / "runs" / "one", Listeners())
    monkeypatch.chdir(tmp_path / "runs")
    read = read_run("one")
    assert read == run
    assert read.collected.has("brightness")
    assert (read.truth >= 0).all()
    assert read.test.classes == CLASSES
    assert len(read.measurements) == 1


def test_images_that_a_run_left_out_stay_out(tmp_path, write, photos):
    for place, content in (("photos/blue/zz.png", b"junk"), ("trusted/red/zz.png", b"")):
        (tmp_path / place).write_bytes(content)
    with pytest.warns(UserWarning, match="left out 1 of"):
        run = run_pipeline(write(GIVEN), tmp_path / "run", Listeners())
    assert len(run.collected) == 42
    assert read_run(tmp_path / "run") == run
    assert left_out_images(tmp_path / "run") == {"blue/zz.png": "not an image"}
    assert len(read_collected(tmp_path / "run")) == 42


def test_splits_of_a_folder_come_back_without_another_word(tmp_path, write, photos):
    (tmp_path / "both").mkdir()
    photos.rename(tmp_path / "both" / "train")
    shutil.copytree(tmp_path / "trusted", tmp_path / "both" / "test")
    with pytest.warns(UserWarning, match="read as splits"):
        run = run_pipeline(write("dataset: both\nencoder: toy\n"), tmp_path / "run", Listeners())
    assert read_run(tmp_path / "run") == run
    assert set(run.collected.columns["split"].tolist()) == {"train", "test"}


def test_the_dataset_as_it_was_before_the_run(tmp_path, write, photos):
    run_pipeline(write(GIVEN), tmp_path / "run", Listeners())
    assert read_collected(tmp_path / "run") == read_dataset(photos)


def test_truth_and_test_that_have_gone_are_left_out(tmp_path, write, photos):
    run_pipeline(write(GIVEN), tmp_path / "run", Listeners())
    shutil.rmtree(tmp_path / "trusted")
    (tmp_path / "truth.csv").unlink()
    read = read_run(tmp_path / "run")
    assert read.test is None
    # A simulator's run has the labels before it as truth, as the run itself would.
    assert read.truth.tolist() == read_dataset(photos).labels.tolist()


def test_a_pipeline_file_that_was_edited_later_does_not_matter(tmp_path, write, toys):
    run = run_pipeline(write(toys.PIPELINE), tmp_path / "run", Listeners())
    with (tmp_path / "run" / "pipeline.yaml").open("a") as file:
        file.write("simulators: [something]\n")
    assert read_run(tmp_path / "run") == run


def test_only_collected(tmp_path, write, toys):
    collected = collect_pipeline(write(toys.PIPELINE), tmp_path / "run", Listeners()).collected
    assert read_collected(tmp_path / "run") == collected
    with pytest.raises(InputError) as error:
        read_run(tmp_path / "run")
    assert str(error.value) == (
        f"the run in {tmp_path / 'run'} is not finished: run it again to the end; what was "
        "collected is there as it is"
    )


def record_of(folder):
    return json.loads((folder / "run.json").read_text())


def faulty(kind, folder):
    with pytest.raises(kind) as error:
        read_run(folder)
    return str(error.value)


def test_what_is_no_run(tmp_path):
    assert faulty(InputError, tmp_path) == (
        f"{tmp_path} is not a run directory: it has no run.json with a pipeline.yaml beside it"
    )


def test_a_dataset_that_has_changed_or_gone(tmp_path, write, photos):
    run_pipeline(write(GIVEN), tmp_path / "run", Listeners())
    first = next(photos.rglob("*.png"))
    first.rename(first.with_name("x.png"))
    assert faulty(InputError, tmp_path / "run") == (
        f"{photos} has changed since the run in {tmp_path / 'run'} (it has other samples or "
        "labels): run it again"
    )
    shutil.rmtree(photos)
    assert faulty(InputError, tmp_path / "run") == (
        f"the dataset of the run in {tmp_path / 'run'} is not at {photos} any more: put it back, "
        "or run again"
    )


def test_stages_that_are_missing_or_damaged(tmp_path, write, toys):
    folder = tmp_path / "run"
    run_pipeline(write(toys.PIPELINE), folder, Listeners())
    findings = folder / "detectors" / "toy" / "findings.parquet"
    findings.write_bytes(findings.read_bytes()[:-1])
    assert faulty(WorkError, folder) == (
        f"{findings} is damaged (its SHA-256 differs): remove {findings.parent} to make it again"
    )
    shutil.rmtree(findings.parent)
    assert faulty(WorkError, folder) == f"{findings.parent} is missing: run the pipeline again"


def test_a_list_of_sums_that_leads_elsewhere(tmp_path, write, toys):
    folder = tmp_path / "run"
    run_pipeline(write(toys.PIPELINE), folder, Listeners())
    sums = folder / "detectors" / "toy" / "SHA256SUMS"
    (folder / "detectors" / "secret").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    sums.write_text(sums.read_text() + f"{empty}  ../secret\n")
    assert faulty(WorkError, folder) == (
        f"{sums} names '../secret', which is not below it: remove {sums.parent} to make it again"
    )


def test_a_stage_of_another_version(tmp_path, write, toys):
    folder = tmp_path / "run"
    run_pipeline(write(toys.PIPELINE), folder, Listeners())
    from adc_core.storage.checksums import write_checksums

    stage = folder / "detectors" / "toy"
    (stage / "findings.json").write_text('{"noise": 1}')
    write_checksums(stage)
    message = faulty(WorkError, folder)
    assert message.startswith(f"{stage} does not hold a stage of this version: noise: ")
    assert message.endswith(": run the pipeline again")
