"""A pipeline that is given a dataset itself, and not the path of one."""

import re

import numpy as np
import pytest

from adc_core import Dataset, InputError, Neighbors, Pipeline, read_collected, read_run
from adc_core.errors import InputErrors
from adc_core.images.sequence import ImageFiles
from adc_core.runs.image_check import absent_images
from adc_core.runs.listeners import Listeners
from adc_core.runs.runner import run_pipeline


def dataset(shift=0):
    random = np.random.default_rng(0)
    labels = np.arange(30) % 3
    others = (np.arange(30)[:, None] + [3, 6, 9, 1, 2, 4]) % 30
    images = random.integers(0, 255, (30, 8, 8, 3)).astype(np.uint8)
    return Dataset(
        labels=(labels + shift) % 3,
        ids=[f"s{row}" for row in range(30)],
        neighbors=Neighbors(indices=others, similarities=np.full((30, 6), 0.5)),
        images=images,
        columns={"mine": np.arange(30)},
    )


def test_it_runs_and_is_read_again(tmp_path, toys):
    given = dataset()
    pipeline = Pipeline(dataset=given, detectors=["toy"])
    run = run_pipeline(pipeline, tmp_path / "run", Listeners())
    assert run.collected.replace(images=None) == given.replace(images=None)
    again = read_run(tmp_path / "run")
    assert again.findings == run.findings
    assert again.collected == run.collected
    assert read_collected(tmp_path / "run") == given


def test_what_is_unchanged_is_reused_and_other_labels_are_judged_anew(tmp_path, toys):
    folder = tmp_path / "run"
    run_pipeline(Pipeline(dataset=dataset(), detectors=["toy"]), folder, Listeners())
    kept = (folder / "detectors/toy/stage.json").stat().st_mtime_ns
    run_pipeline(Pipeline(dataset=dataset(), detectors=["toy"]), folder, Listeners())
    assert (folder / "detectors/toy/stage.json").stat().st_mtime_ns == kept
    changed = run_pipeline(
        Pipeline(dataset=dataset(shift=1), detectors=["toy"]), folder, Listeners()
    )
    assert read_run(folder).collected.labels.tolist() == changed.collected.labels.tolist()
    assert changed.collected.labels.tolist() == dataset(shift=1).labels.tolist()


def test_the_directory_s_pipeline_file_runs_as_it_is(tmp_path, toys):
    first = run_pipeline(
        Pipeline(dataset=dataset(), detectors=["toy"]), tmp_path / "run", Listeners()
    )
    pipeline = Pipeline.read(tmp_path / "run/pipeline.yaml")
    assert pipeline.dataset == tmp_path / "run/collector"
    assert run_pipeline(pipeline, tmp_path / "other", Listeners()).findings == first.findings


def test_a_file_for_it_alone_is_refused():
    with pytest.raises(InputError) as caught:
        Pipeline(dataset=dataset()).to_yaml()
    assert str(caught.value) == (
        "the dataset is in memory, so no file can name it: save it, and give its path"
    )


def test_images_that_are_not_there_are_refused(tmp_path, toys):
    images = ImageFiles(tmp_path, [f"{row}.png" for row in range(30)])
    given = dataset().replace(images=images)
    assert len(absent_images(images)) == 30
    with pytest.raises(InputErrors) as caught:
        run_pipeline(Pipeline(dataset=given, encoder="toy"), tmp_path / "run", Listeners())
    assert len(caught.value.faults) == 30
    assert caught.value.faults[0].startswith("0.png: ")


def test_what_is_neither_is_named(toys):
    with pytest.raises(ValueError, match="give a path, or in Python a Dataset"):
        Pipeline(dataset=3)


def test_another_dataset_does_not_take_a_directory_over(tmp_path):
    def pipeline(rows):
        rng = np.random.default_rng(0)
        features = 9 * np.eye(3)[np.arange(rows) % 3] + rng.normal(size=(rows, 3))
        dataset = Dataset(labels=np.arange(rows) % 3, features=features)
        return Pipeline(dataset=dataset, detectors=[{"use": "simifeat", "k": 3}])

    run_pipeline(pipeline(60), tmp_path / "run", Listeners())
    with pytest.raises(InputError) as raised:
        run_pipeline(pipeline(30), tmp_path / "run", Listeners())
    told = re.sub("[0-9a-f]{12}", "SUM", str(raised.value))
    assert told == (
        f"{tmp_path / 'run'} holds the run of another pipeline (dataset SUM in memory, not "
        "dataset SUM in memory): choose another --out"
    )
    assert (tmp_path / "run" / "detectors" / "simifeat").is_dir()
