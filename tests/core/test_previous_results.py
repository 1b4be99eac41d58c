"""Results of another pipeline in the same directory are kept, under numbers."""

import warnings

import numpy as np
import pytest

from adc_core import Dataset
from adc_core.reporting.findings_table import write_findings
from adc_core.runs.listeners import Listeners
from adc_core.runs.pipeline import Pipeline
from adc_core.runs.previous_results import keep_previous
from adc_core.runs.runner import run_pipeline
from adc_core.storage.saved_dataset import save_dataset


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


@pytest.fixture
def finished(tmp_path):
    for name in ("pipeline.yaml", "report.html", "findings.parquet"):
        (tmp_path / name).write_text(f"first {name}")
    return tmp_path


def test_the_same_pipeline_keeps_nothing(finished):
    before = names(finished)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keep_previous(finished, "pipeline.yaml", "first pipeline.yaml")
        keep_previous(finished / "new", "pipeline.yaml", "anything")  # which is not there yet
    assert names(finished) == before


def test_another_pipeline_puts_all_under_one_number(finished):
    with pytest.warns(UserWarning) as warned:
        keep_previous(finished, "pipeline.yaml", "another")
    assert [str(one.message) for one in warned] == [
        f"{finished} holds the results of another pipeline: they are kept as pipeline.1.yaml, "
        "report.1.html, findings.1.parquet"
    ]
    assert names(finished) == ["findings.1.parquet", "pipeline.1.yaml", "report.1.html"]
    assert (finished / "report.1.html").read_text() == "first report.html"


def test_no_number_is_used_twice(finished):
    (finished / "findings.1.csv").write_text("of an older one")
    with pytest.warns(UserWarning, match=r"report\.2\.html, findings\.2\.parquet$"):
        keep_previous(finished, "pipeline.yaml", "another")
    assert (finished / "findings.1.csv").read_text() == "of an older one"
    assert not (finished / "report.1.html").exists()


def test_a_run_that_left_no_results_is_no_loss(tmp_path):
    (tmp_path / "pipeline.yaml").write_text("first")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keep_previous(tmp_path, "pipeline.yaml", "another")
    assert names(tmp_path) == ["pipeline.yaml"]


def test_two_pipelines_run_into_one_directory(tmp_path, toys):
    features = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    dataset = Dataset(labels=np.arange(30) % 3, features=features)
    save_dataset(dataset, tmp_path / "data")

    def run(k):
        pipeline = Pipeline(
            dataset=tmp_path / "data",
            enrichers=(toys.ToyNeighbors(k=4),),
            detectors=(toys.ToyDetector(k=k),),
        )
        folder = tmp_path / "run"
        write_findings(run_pipeline(pipeline, folder, Listeners(), dataset), folder)
        return (folder / "findings.parquet").read_bytes()

    first = run(2)
    assert run(2) == first
    assert "findings.1.parquet" not in names(tmp_path / "run")
    with pytest.warns(
        UserWarning, match=r"they are kept as pipeline\.1\.yaml, findings\.1\.parquet$"
    ):
        assert run(4) != first
    assert (tmp_path / "run" / "findings.1.parquet").read_bytes() == first
