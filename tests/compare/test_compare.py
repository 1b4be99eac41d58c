"""Running a comparison: stages shared, cells that fail named, nothing made twice."""

import csv
import shutil
import sys
from functools import partial

import pytest

from adc_core import Detector, Findings, InputError, WorkError, registry
from adc_core.runs import read_record
from adc_plugins_compare import Comparison
from adc_plugins_compare import compare as compare_with_reports

compare = partial(compare_with_reports, block=["adc-plugins-publish/html-report"])
"""Most of the time of so small a cell is its report."""

FAULTY = '''
"""A detector that fails, or kills its process, where a file says so."""

import os
import signal

import numpy as np

from adc_core import Detector, Findings, LocalPath


class Faulty(Detector):
    """Fails as its file says."""

    how: LocalPath

    def detect(self, dataset):
        how = self.how.read_text()
        if how == "die once":
            self.how.write_text("work")
        if how.startswith("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "raise":
            raise ValueError("no luck")
        suspicion = np.zeros(len(dataset))
        return Findings(ids=dataset.ids, suspicion=suspicion, flagged=suspicion > 0)
'''


@pytest.fixture
def faulty(folder, monkeypatch):
    """Give a comparison whose second detector does what `how` says, and the path of `how`."""
    (folder / "acme_faulty.py").write_text(FAULTY)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    from acme_faulty import Faulty

    monkeypatch.setitem(registry._added, ("detectors", "faulty"), Faulty)
    how = folder / "how"
    how.write_text("work")
    (folder / "faulty.yaml").write_text(
        "pipeline: {dataset: data, simulators: [symmetric], enrichers: [ridge-probe],"
        " metrics: [detection]}\n"
        "axes: {detectors: [self-confidence, {use: faulty, how: how}, confident-learning]}\n"
        "seeds: [0]\n"
    )
    yield folder / "faulty.yaml", how
    sys.modules.pop("acme_faulty", None)


def figures(folder):
    with (folder / "measurements.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(shared_folder):
    """Make the comparison, one cell after another; give its folder and what it found."""
    out = shared_folder / "out"
    return out, compare(Comparison.read(shared_folder / "detectors.yaml"), out)


def test_evidence_is_made_once_for_all_that_share_it(finished):
    out, found = finished
    assert [outcome.error for outcome in found.outcomes] == [None] * 12
    made = [
        name
        for cell in (out / "cells").iterdir()
        for name, stage in read_record(cell).stages.items()
        if not stage.reused
    ]
    # Two kinds of noise with three seeds each, for two detectors.
    assert made.count("enrichers/ridge-probe") == 6
    assert (
        made.count("detectors/self-confidence") == made.count("detectors/confident-learning") == 6
    )
    text = (out / "table.txt").read_text()
    assert text.startswith("F1\n") and "flag everything" in text
    assert {path.name for path in out.iterdir()} >= {
        "comparison.html", "measurements.csv", "table.csv", "table.md", "table.tex", "table.txt",
    }  # fmt: skip


def test_again_nothing_is_made_and_the_tables_are_the_same(finished, shared_folder, tmp_path):
    out = shutil.copytree(finished[0], tmp_path / "out")
    compare(Comparison.read(shared_folder / "detectors.yaml"), out)
    records = [read_record(cell) for cell in (out / "cells").iterdir()]
    assert all(stage.reused for record in records for stage in record.stages.values())
    before, after = (
        {path.name: path.read_bytes() for path in folder.glob("*.*")}
        for folder in (finished[0], out)
    )
    del before["comparison.html"], after["comparison.html"]  # it tells seconds
    assert after == before


def test_several_at_a_time_give_the_same_bytes(finished, shared_folder):
    comparison = Comparison.read(shared_folder / "detectors.yaml")
    compare(comparison, shared_folder / "two", parallel=2)
    for name in ("measurements.csv", "table.csv", "table.tex"):
        assert (shared_folder / "two" / name).read_bytes() == (finished[0] / name).read_bytes()


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_cell_that_fails_is_named_and_the_others_go_on(folder, faulty, parallel):
    path, how = faulty
    how.write_text("raise")
    found = compare(Comparison.read(path), folder / "out", parallel=parallel)
    errors = [outcome.error for outcome in found.outcomes]
    assert errors[0] is errors[2] is None
    assert "no luck" in errors[1] and "faulty" in errors[1]
    assert "failed" in (folder / "out/table.txt").read_text()
    how.write_text("work")
    again = compare(Comparison.read(path), folder / "out")
    assert [outcome.error for outcome in again.outcomes] == [None] * 3


def test_a_process_that_dies_is_tried_once_more_by_itself(folder, faulty):
    path, how = faulty
    how.write_text("die once")
    found = compare(Comparison.read(path), folder / "out", parallel=2)
    assert [outcome.error for outcome in found.outcomes] == [None] * 3
    assert how.read_text() == "work"


def test_a_process_that_always_dies_is_a_failed_cell(folder, faulty):
    path, how = faulty
    how.write_text("die always")
    found = compare(Comparison.read(path), folder / "out", parallel=2)
    assert [outcome.error is None for outcome in found.outcomes] == [True, False, True]
    assert found.outcomes[1].error.startswith("its process died of signal 9")
    assert not list((folder / "out/jobs").glob("*.pickle"))


def test_another_folder_is_refused(folder):
    comparison = Comparison.read(folder / "detectors.yaml")
    with pytest.raises(InputError, match="not empty and no comparison"):
        compare(comparison, folder / "data")


def test_a_folder_in_use_is_refused(folder):
    from filelock import FileLock

    (folder / "out/cells").mkdir(parents=True)
    with FileLock(folder / "out/.lock"), pytest.raises(WorkError, match="in use"):
        compare(Comparison.read(folder / "detectors.yaml"), folder / "out")


def test_it_is_made_in_python_as_well(folder):
    class Constant(Detector):
        """Suspects everything alike."""

        def detect(self, dataset):
            suspicion = dataset.labels * 0.0 + 0.5
            return Findings(ids=dataset.ids, suspicion=suspicion, flagged=suspicion > 1)

    base = {"dataset": folder / "data", "simulators": ["symmetric"], "metrics": ["detection"]}
    comparison = Comparison(pipeline=base, axes={"detectors": [Constant()]}, seeds=(0, 1))
    found = compare(comparison, folder / "out")
    assert len(found.outcomes) == 2
    assert str(found).count("±") > 1
