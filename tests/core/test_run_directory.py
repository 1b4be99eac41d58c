"""Runs: reused, resumed, refused; never half a stage."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from adc_process import start_program

from adc_core import Encoder, InputError, Pipeline, WorkError, hookimpl, work_folder
from adc_core.runs.listeners import Listeners
from adc_core.runs.runner import run_pipeline

EVERYTHING = ["design", "collect", "encode", "neighbors", "detect", "detect", "curate"]
EVERYTHING += ["learn", "learn", "measure"]


@pytest.fixture
def pipeline(tmp_path, toys):
    path = tmp_path / "pipeline.yaml"
    path.write_text(toys.PIPELINE)
    return Pipeline.read(path)


class Wide(Encoder):
    """Makes more features than the disk can hold."""

    requires: ClassVar = ("images",)

    def encode(self, images):
        return np.zeros((len(images), 5000), np.float32)


class Diary:
    def __init__(self):
        self.lines = []

    @hookimpl
    def adc_run_started(self, folder, stages):
        self.lines.append(("planned", stages))

    @hookimpl
    def adc_stage_finished(self, stage, seconds, reused):
        self.lines.append(("reused" if reused else "made", stage))


def run(pipeline, folder):
    listeners, diary = Listeners(), Diary()
    listeners.register(diary)
    return run_pipeline(pipeline, folder, listeners), diary.lines


def content(folder):
    """Every byte of the stages; run.json and the report also tell the time of day."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("run.json", "report.html", ".lock")
    }


def test_a_second_run_reuses_everything(tmp_path, pipeline, toys):
    first, lines = run(pipeline, tmp_path / "run")
    assert toys.CALLS == EVERYTHING
    before = content(tmp_path / "run")
    toys.CALLS.clear()
    second, again = run(pipeline, tmp_path / "run")
    assert toys.CALLS == []
    assert second == first
    assert content(tmp_path / "run") == before
    stages = [stage for _, stage in lines[1:]]
    assert list(lines[0][1]) == stages
    assert again[1:] == [("reused", stage) for stage in stages]
    assert stages == [
        "designer", "collector", "encoder", "enrichers/toy", "detectors/toy", "detectors/toy-2",
        "curators/toy", "learners/toy.raw", "learners/toy.curated", "metrics/toy",
    ]  # fmt: skip


def test_only_what_depends_on_a_change_is_made_again(tmp_path, pipeline, toys):
    run(pipeline, tmp_path / "run")
    toys.CALLS.clear()
    changed = pipeline.model_copy(
        update={"detectors": (toys.ToyDetector(k=1), *pipeline.detectors[1:])}
    )
    run(changed, tmp_path / "run")
    assert toys.CALLS == ["detect", "curate", "learn", "measure"]


def test_only_who_keeps_a_cache_finds_the_work_of_other_options(tmp_path, pipeline, toys):
    class Remembering(toys.ToyCollector):
        """Keeps what it painted."""

        keeps_cache: ClassVar = True

        def collect(self, design, searchers):
            found.append(len(list(work_folder().glob("*.npy"))))
            return super().collect(design, searchers)

    class Forgetful(Remembering):
        """Begins anew for each set of options."""

        keeps_cache: ClassVar = False

    for kind, expected in ((Remembering, [0, 60]), (Forgetful, [0, 0])):
        found = []
        for rows in (60, 30):
            collector = kind(rows=rows)
            run(pipeline.model_copy(update={"collector": collector}), tmp_path / kind.__name__)
        assert found == expected


def test_a_stage_that_is_no_longer_planned_goes_away(tmp_path, pipeline):
    run(pipeline, tmp_path / "run")
    run(pipeline.model_copy(update={"detectors": pipeline.detectors[:1]}), tmp_path / "run")
    assert not (tmp_path / "run" / "detectors" / "toy-2").exists()


def test_evidence_of_another_pipeline_stays_and_serves_again(tmp_path, pipeline):
    folder = tmp_path / "run"
    run(pipeline, folder)
    kinds = ("enrichers", "detectors", "curators", "learners", "metrics")
    nothing = {"encoder": None} | dict.fromkeys(kinds, ())
    run(pipeline.model_copy(update=nothing), folder)
    assert (folder / "encoder").is_dir()
    assert not (folder / "detectors" / "toy").exists()
    _, again = run(pipeline, folder)
    assert ("reused", "encoder") in again


def test_progress_and_remarks_are_told(tmp_path, pipeline):
    told = []

    class Ears:
        @hookimpl
        def adc_stage_progressed(self, stage, done, total, unit):
            told.append((stage, done, total, unit))

        @hookimpl
        def adc_stage_status(self, stage, text):
            told.append((stage, text))

    listeners = Listeners()
    listeners.register(Ears())
    run_pipeline(pipeline, tmp_path / "run", listeners)
    of_collector = [each for each in told if each[0] == "collector"]
    assert of_collector[0] == ("collector", 1, 60, "image")
    assert of_collector[-2:] == [("collector", 60, 60, "image"), ("collector", "60 painted")]


def test_the_record(tmp_path, pipeline):
    run(pipeline, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["finished"] is True
    assert record["source"] == "brief 'colours'"
    assert record["pipeline"]["collector"] == {"use": "toy", "rows": 60, "pause": 0.0}
    assert record["packages"]["numpy"] == np.__version__
    assert set(record["stages"]["encoder"]) == {"fingerprint", "seconds", "reused"}
    assert Pipeline.read(tmp_path / "run" / "pipeline.yaml") == pipeline


def test_a_relabeled_dataset_keeps_features_and_neighbors(tmp_path, pipeline, toys):
    run(pipeline, tmp_path / "run")
    toys.CALLS.clear()
    noisy = pipeline.model_copy(update={"simulators": (toys.ToySimulator(),)})
    run(noisy, tmp_path / "run")
    assert "encode" not in toys.CALLS
    assert "neighbors" not in toys.CALLS
    assert "detect" in toys.CALLS


@pytest.mark.parametrize("damage", ["flip", "cut"])
@pytest.mark.parametrize("name", ["encoder/features.npy", "collector/images.npy",
                                  "detectors/toy/findings.parquet", "designer/design.json",
                                  "learners/toy.raw/predictions.npy.x"])  # fmt: skip
def test_a_damaged_stage_is_named_and_never_used(tmp_path, pipeline, name, damage):
    folder = tmp_path / "run"
    run(pipeline, folder)
    stage = folder / name.rpartition("/")[0]
    if name.endswith(".x"):
        name = "learners/toy.raw/model/means.npy"
        stage = folder / "learners/toy.raw"
    data = bytearray((folder / name).read_bytes())
    data[-9] ^= 4
    (folder / name).write_bytes(data[:-9] if damage == "cut" else data)
    with pytest.raises(WorkError) as caught:
        run(pipeline, folder)
    assert str(caught.value) == (
        f"{folder / name} is damaged (its SHA-256 differs): remove {stage} to make it again"
    )
    shutil.rmtree(stage)
    run(pipeline, folder)


def test_an_enricher_may_add_a_column_of_its_own(tmp_path, pipeline, toys):
    more = pipeline.model_copy(update={"enrichers": (*pipeline.enrichers, toys.ToyColumn())})
    first, _ = run(more, tmp_path / "run")
    second, lines = run(more, tmp_path / "run")
    brightness = first.collected.features.mean(axis=1)
    assert np.array_equal(second.collected.columns["brightness"], brightness)
    assert second == first
    assert ("reused", "enrichers/toy-column") in lines


def test_another_pipelines_directory_is_refused(tmp_path, pipeline, toys):
    run(pipeline, tmp_path / "run")
    before = content(tmp_path / "run")
    other = pipeline.model_copy(update={"brief": pipeline.brief.replace(subject="shapes")})
    with pytest.raises(InputError) as caught:
        run(other, tmp_path / "run")
    assert str(caught.value) == (
        f"{tmp_path}/run holds the run of another pipeline (brief 'colours', not brief 'shapes'): "
        "choose another --out"
    )
    assert content(tmp_path / "run") == before


def test_a_folder_with_other_things_is_refused(tmp_path, pipeline):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("important")
    with pytest.raises(InputError) as caught:
        run(pipeline, tmp_path / "run")
    assert str(caught.value) == (
        f"{tmp_path}/run is not empty and not a run directory: choose another --out"
    )
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.tex"]


def test_a_run_that_was_killed_at_its_first_file_is_known_again(tmp_path, pipeline):
    (tmp_path / "run").mkdir()
    for name in (".lock", ".run.json.0123456789abcdef"):
        (tmp_path / "run" / name).write_text("")
    run(pipeline, tmp_path / "run")
    cut_short = [".pipeline.yaml.0123456789abcdef", ".report.html.0123456789abcdef"]
    for name in cut_short:
        (tmp_path / "run" / name).write_text("")
    run(pipeline, tmp_path / "run")
    hidden = {path.name for path in (tmp_path / "run").glob(".*")}
    assert hidden == {".lock"}


CHILD = """
import sys
sys.path.insert(0, {here!r})
import toy_plugins
toy_plugins.add_toys()
from adc_core import Pipeline
from adc_core.runs.listeners import Listeners
from adc_core.cli import main
main(["run", {pipeline!r}, "--out", {out!r}]) and sys.exit(3)
"""


def child(pipeline, out):
    here = str(Path(__file__).parent)
    return start_program(CHILD.format(here=here, pipeline=str(pipeline), out=str(out)))


@pytest.fixture
def slow(tmp_path, toys):
    path = tmp_path / "slow.yaml"
    path.write_text(
        toys.PIPELINE.replace("rows: 60", "rows: 60, pause: 0.005").replace(
            "learners: [toy]", "learners: [{use: toy, pause: 0.05}]"
        )
    )
    return path


KILLS = 10


def test_killed_at_any_moment_it_resumes_to_the_same_bytes(tmp_path, slow):
    whole = child(slow, tmp_path / "whole")
    _, errors = whole.communicate(timeout=60)
    assert whole.returncode == 0, errors
    expected = content(tmp_path / "whole")
    out = tmp_path / "killed"
    rng = np.random.default_rng(11)
    kills = 0
    while kills < KILLS:
        process = child(slow, out)
        wait_for(out / ".lock", process)
        try:
            process.wait(timeout=float(rng.uniform(0, 1)) if kills else 0.001)
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.communicate()
        if process.returncode == 0:
            # It came to the end: forget some stages, so that later kills strike early ones too.
            stages = sorted(path.parent for path in out.rglob("stage.json"))
            for stage in stages[int(rng.integers(len(stages))) :]:
                shutil.rmtree(stage, ignore_errors=True)
    last = child(slow, out)
    _, errors = last.communicate(timeout=60)
    assert last.returncode == 0, errors
    assert content(out) == expected


def wait_for(path, process):
    for _ in range(600):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    raise AssertionError(f"{path} never came")


def test_interrupted_it_says_one_line_and_resumes(tmp_path, slow):
    out = tmp_path / "run"
    process = child(slow, out)
    wait_for(out / ".work" / "stages" / "collector", process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    assert errors == "adc: interrupted: run the same command again to continue\n"
    assert (out / "designer" / "stage.json").exists()
    again = child(slow, out)
    again.communicate(timeout=60)
    assert again.returncode == 0


def test_two_processes_cannot_share_a_directory(tmp_path, slow):
    out = tmp_path / "run"
    first = child(slow, out)
    wait_for(out / ".work" / "stages" / "collector", first)
    second = child(slow, out)
    _, errors = second.communicate(timeout=30)
    assert second.returncode == 3
    assert errors == (
        f"adc: {out} is in use by another process: wait for it or choose another --out\n"
    )
    first.communicate(timeout=60)
    assert first.returncode == 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_named(small_disk, pipeline, toys):
    big = pipeline.model_copy(update={"encoder": Wide()})
    with pytest.raises(WorkError) as caught:
        run(big, small_disk / "run")
    assert str(caught.value).endswith("No space left on device: free some space and run again")
    assert not (small_disk / "run" / "encoder").exists()
    run(pipeline, small_disk / "run")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a read-only file system")
def test_a_read_only_directory_is_named(small_disk, pipeline):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(WorkError) as caught:
        run(pipeline, small_disk / "run")
    assert str(caught.value) == (f"{small_disk}/run: Read-only file system: choose another folder")
