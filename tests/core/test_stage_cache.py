"""A stage cache: what one run has made, another one takes, whole and once."""

import threading
from pathlib import Path

import pytest

from adc_core import Pipeline, WorkError, hookimpl
from adc_core.runs.listeners import Listeners
from adc_core.runs.run_record import read_record
from adc_core.runs.runner import run_pipeline


@pytest.fixture
def pipeline(tmp_path, toys):
    path = tmp_path / "pipeline.yaml"
    path.write_text(toys.PIPELINE)
    return Pipeline.read(path)


class Diary:
    def __init__(self):
        self.lines = []

    @hookimpl
    def adc_stage_started(self, stage):
        self.lines.append(("started", stage))

    @hookimpl
    def adc_stage_finished(self, stage, seconds, reused):
        self.lines.append(("taken" if reused else "made", stage))


def run(pipeline, folder, cache):
    listeners, diary = Listeners(), Diary()
    listeners.register(diary)
    return run_pipeline(pipeline, folder, listeners, stage_cache=cache), diary.lines


def stages(folder):
    """Every byte of the stages."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent != folder
    }


def test_a_run_in_another_folder_makes_nothing_again(tmp_path, pipeline, toys):
    first, _ = run(pipeline, tmp_path / "one", tmp_path / "cache")
    toys.CALLS.clear()
    second, lines = run(pipeline, tmp_path / "two", tmp_path / "cache")
    assert toys.CALLS == []
    assert second == first
    assert {word for word, _ in lines} == {"taken"}
    assert stages(tmp_path / "two") == stages(tmp_path / "one")
    assert all(stage.reused for stage in read_record(tmp_path / "two").stages.values())


def test_only_what_differs_is_made(tmp_path, pipeline, toys):
    run(pipeline, tmp_path / "one", tmp_path / "cache")
    toys.CALLS.clear()
    changed = pipeline.model_copy(
        update={"detectors": (toys.ToyDetector(k=1), *pipeline.detectors[1:])}
    )
    run(changed, tmp_path / "two", tmp_path / "cache")
    assert toys.CALLS == ["detect", "curate", "learn", "measure"]


def test_bytes_are_the_same_as_without(tmp_path, pipeline):
    run_pipeline(pipeline, tmp_path / "plain")
    run(pipeline, tmp_path / "one", tmp_path / "cache")
    assert stages(tmp_path / "one") == stages(tmp_path / "plain")


def test_files_take_their_space_once_and_outlive_the_cache(tmp_path, pipeline):
    run(pipeline, tmp_path / "one", tmp_path / "cache")
    run(pipeline, tmp_path / "two", tmp_path / "cache")
    path = "encoder/features.npy"
    files = [tmp_path / name / path for name in ("one", "two")]
    assert files[0].samefile(files[1])
    for kept in (tmp_path / "cache").rglob("features.npy"):
        kept.unlink()
    assert all(file.read_bytes() for file in files)


def test_a_damaged_stage_is_named_and_not_taken(tmp_path, pipeline):
    run(pipeline, tmp_path / "one", tmp_path / "cache")
    (kept,) = (tmp_path / "cache").rglob("features.npy")
    kept.chmod(0o644)
    kept.write_bytes(b"damaged")
    with pytest.raises(WorkError, match=r"cache.*features\.npy is damaged.*remove .*cache"):
        run(pipeline, tmp_path / "two", tmp_path / "cache")
    assert not (tmp_path / "two/encoder").exists()


def test_of_two_runs_at_once_one_makes_each_stage(tmp_path, pipeline, toys):
    lines = {}

    def work(name):
        lines[name] = run(pipeline, tmp_path / name, tmp_path / "cache")[1]

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [stage for told in lines.values() for word, stage in told if word == "made"]
    assert len(made) == len(set(made)) == 10
    assert toys.CALLS.count("encode") == 1


def test_a_stage_that_fails_leaves_nothing_there(tmp_path, pipeline, toys):
    class Failing(toys.ToyEncoder):
        """Fails."""

        def encode(self, images):
            raise WorkError("no more")

    failing = pipeline.model_copy(update={"encoder": Failing()})
    with pytest.raises(WorkError, match="no more"):
        run(failing, tmp_path / "one", tmp_path / "cache")
    kept = [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert len(kept) == 2  # the design, and what was collected
    assert not any(Path(path).suffix == ".part" for path in kept)
