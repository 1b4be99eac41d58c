"""Run directories of somebody else: nothing outside is read, written or deleted."""

import json
import os

import pytest

from adc_core import InputError, Pipeline, WorkError, read_run
from adc_core.cli import main
from adc_core.runs.listeners import Listeners
from adc_core.runs.runner import run_pipeline


@pytest.fixture
def pipeline(tmp_path, toys):
    path = tmp_path / "pipeline.yaml"
    path.write_text(toys.PIPELINE)
    return Pipeline.read(path)


@pytest.fixture
def foreign(tmp_path, pipeline):
    """A finished run beside a thesis that is nobody's business."""
    folder = tmp_path / "box" / "run"
    run_pipeline(pipeline, folder, Listeners())
    (tmp_path / "box" / "thesis").mkdir()
    (tmp_path / "box" / "thesis" / "thesis.doc").write_text("years of work")
    return folder


def outside(folder):
    """What lies beside a run directory."""
    beside = folder.parent
    return {
        path.relative_to(beside): path.read_bytes()
        for path in beside.rglob("*")
        if path.is_file() and not path.is_relative_to(folder)
    }


def edit(folder, change):
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    "name", ["..", "../thesis", "ABSOLUTE", "", ".", "detectors/..", "detectors/../../thesis", "a"]
)
def test_a_record_names_folders_that_no_stage_has(foreign, pipeline, name):
    name = str(foreign.parent / "thesis") if name == "ABSOLUTE" else name
    entry = {"fingerprint": "0", "seconds": 0.0, "reused": False}
    edit(foreign, lambda record: record["stages"].update({name: entry}))
    before = outside(foreign)
    for act in (lambda: run_pipeline(pipeline, foreign, Listeners()), lambda: read_run(foreign)):
        with pytest.raises(WorkError) as raised:
            act()
        assert str(raised.value) == (
            f"{foreign / 'run.json'} is not as a run writes it (stages.{name}.[key]: {name!r} "
            "cannot be a stage): fix or remove it"
        )
    assert outside(foreign) == before
    assert (foreign / "detectors" / "toy").is_dir()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "is not as a run writes it (Input should be a valid dictionary or instance of"),
        ('{"format": 2}', "is of another version of ADC: run again with another --out"),
    ],
)
def test_a_record_that_is_none(foreign, pipeline, content, reason):
    (foreign / "run.json").write_text(content)
    for act in (lambda: run_pipeline(pipeline, foreign, Listeners()), lambda: read_run(foreign)):
        with pytest.raises(WorkError) as raised:
            act()
        assert str(raised.value).startswith(f"{foreign / 'run.json'} {reason}")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ([1], "stages: Input should be a valid dictionary"),
        (
            {"detectors/toy": 3},
            "stages.detectors/toy: Input should be a valid dictionary or instance of StageRecord",
        ),
    ],
)
def test_stages_that_are_none(foreign, pipeline, stages, reason):
    edit(foreign, lambda record: record.update(stages=stages))
    with pytest.raises(WorkError) as raised:
        run_pipeline(pipeline, foreign, Listeners())
    assert str(raised.value) == (
        f"{foreign / 'run.json'} is not as a run writes it ({reason}): fix or remove it"
    )


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("pipeline.yaml", "thesis/thesis.doc"),
        ("run.json", "record"),
        (".run.json.new", "thesis/thesis.doc"),
        (".report.html.new", "thesis/thesis.doc"),
        (".work/stages/detectors.toy", "thesis"),
        (".cache/collector/images", "thesis"),
        ("detectors", "thesis"),
        ("detectors/toy", "thesis"),
        ("detectors/toy/more", "nowhere"),
        ("runs", "."),
    ],
)
def test_links_lead_nowhere(foreign, pipeline, link, target):
    before = outside(foreign)
    place, to = foreign / link, foreign.parent / target
    if link == "run.json":
        to = foreign / "elsewhere.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(foreign / "elsewhere.json" if link == "run.json" else foreign / "put aside")
    place.symlink_to(to, target_is_directory=to.is_dir())
    for act in (lambda: run_pipeline(pipeline, foreign, Listeners()), lambda: read_run(foreign)):
        if link == "pipeline.yaml" and act.__code__.co_names[0] == "read_run":
            continue
        with pytest.raises(InputError) as raised:
            act()
        assert str(raised.value) == (
            f"{place} is a link: only plain files and folders are allowed; remove it, or "
            "ask the owner of the folder"
        )
    assert outside(foreign) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_fifo_stops_nothing(foreign, pipeline):
    fifo = foreign / "detectors" / "toy" / "pipe"
    os.mkfifo(fifo)
    sums = fifo.with_name("SHA256SUMS")
    sums.write_text(sums.read_text() + f"{'0' * 64}  pipe\n")
    with pytest.raises(InputError) as raised:
        run_pipeline(pipeline, foreign, Listeners())
    assert str(raised.value).startswith(f"{fifo} is a FIFO: only plain files and folders")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_record_that_is_a_fifo_is_not_waited_for(foreign, pipeline):
    (foreign / "run.json").unlink()
    os.mkfifo(foreign / "run.json")
    with pytest.raises(InputError) as raised:
        run_pipeline(pipeline, foreign, Listeners())
    assert str(raised.value).startswith(f"{foreign / 'run.json'} is a FIFO: ")
    with pytest.raises(InputError) as raised:
        read_run(foreign)
    assert str(raised.value).startswith(f"{foreign} is not a run directory: ")


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_a_lock_that_is_a_link_is_not_opened(foreign, pipeline):
    before = outside(foreign)
    new = foreign.parent / "new"
    new.mkdir()
    (new / ".lock").symlink_to(foreign.parent / "thesis" / "thesis.doc")
    with pytest.raises(InputError) as raised:
        run_pipeline(pipeline, new, Listeners())
    assert str(raised.value).startswith(f"{new / '.lock'} is a link: ")
    (new / ".lock").unlink()
    assert outside(foreign) == before


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_a_name_that_two_files_share_is_not_written_through(foreign, pipeline):
    thesis = foreign.parent / "thesis" / "thesis.doc"
    for name in ("pipeline.yaml", "run.json"):
        kept = (foreign / name).read_bytes()
        (foreign / name).unlink()
        thesis.write_bytes(kept)
        os.link(thesis, foreign / name)
        run_pipeline(pipeline, foreign, Listeners())
        assert thesis.read_bytes() == kept
        assert not (foreign / name).samefile(thesis)


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_a_saved_dataset_with_a_link_is_refused(foreign, capsys):
    collector = foreign / "collector"
    (collector / "more").symlink_to(foreign.parent / "thesis")
    assert main(["export", str(collector), "--as", "url-list", "--to", str(foreign / "out")]) == 2
    assert capsys.readouterr().err == (
        f"adc: {collector / 'more'} is a link: only plain files and folders are allowed; remove "
        "it, or ask the owner of the folder\n"
    )


def test_a_run_directory_may_itself_be_a_link(foreign, pipeline):
    link = foreign.parent / "link"
    link.symlink_to(foreign, target_is_directory=True)
    run_pipeline(pipeline, link, Listeners())
    assert read_run(link).findings
