"""`adc compare` as a command: its words, its exit codes, and what a kill leaves."""

import csv
import signal
import time

import pytest
from adc_process import run_adc, start_adc

QUIET = ("--block", "adc-plugins-publish/html-report")
"""Most of the time of so small a cell is its report."""


def lines(text):
    return text.strip().splitlines()


@pytest.fixture(scope="module")
def finished(shared_folder):
    """Make the comparison, one cell after another; give its folder and what the command said."""
    done = run_adc("compare", "detectors.yaml", *QUIET, cwd=shared_folder)
    assert done.returncode == 0, done.stderr
    return shared_folder / "runs/detectors", done


def test_a_whole_comparison(finished):
    done = finished[1]
    assert "self-confidence" in done.stdout and "±" in done.stdout and "*" in done.stdout
    assert lines(done.stdout)[-1] == "page: runs/detectors/comparison.html"
    assert sum("/12  noise=" in line for line in lines(done.stderr)) == 12


def test_a_dry_run_lists_the_cells_and_makes_nothing(folder):
    done = run_adc("compare", "detectors.yaml", "--dry-run", cwd=folder)
    assert done.returncode == 0
    assert lines(done.stdout)[0] == "noise=symmetric,detectors=self-confidence,seed=0"
    assert lines(done.stdout)[-1] == "12 cells, each can begin"
    assert not (folder / "runs").exists()


def test_other_data_take_the_place_of_the_files(folder):
    (folder / "data").rename(folder / "moved")
    done = run_adc("compare", "detectors.yaml", "--dry-run", cwd=folder)
    assert done.returncode == 2
    assert "dataset: " in done.stderr and "does not exist" in done.stderr
    done = run_adc("compare", "detectors.yaml", "--dry-run", "--dataset", "moved", cwd=folder)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["absent.yaml"], "absent.yaml does not exist: give the path of a comparison file"),
        (["detectors.yaml", "--parallel", "0"], "--parallel: give a whole number from 1"),
    ],
)
def test_bad_input_is_one_line(folder, words, fault):
    done = run_adc("compare", *words, cwd=folder)
    assert done.returncode == 2
    assert lines(done.stderr) == [f"adc: {fault}"]


def test_a_failed_cell_ends_in_exit_code_1(folder):
    # A matrix for two classes, of three: known only when it is used.
    (folder / "failing.yaml").write_text(
        "pipeline: {dataset: data, detectors: [simifeat], metrics: [detection]}\n"
        "seeds: [0]\n"
        "axes:\n  simulators:\n  - symmetric\n"
        "  - {use: class-conditional, transition: [[0.9, 0.1], [0.1, 0.9]]}\n"
    )
    done = run_adc("compare", "failing.yaml", *QUIET, cwd=folder)
    assert done.returncode == 1
    assert "failed: simulators=class-conditional,seed=0: " in done.stdout
    assert "1 of 2 cells failed: the same command tries them again" in done.stdout
    assert "flag everything" in done.stdout


@pytest.mark.parametrize("parallel", [1, 2])
def test_killed_at_any_moment_it_goes_on_and_ends_the_same(folder, finished, parallel):
    words = ["compare", "detectors.yaml", *QUIET, "--parallel", parallel]
    for wanted in (1, 5):
        with start_adc(*words, "--out", "killed", cwd=folder) as process:
            deadline = time.monotonic() + 100
            while len(list((folder / "killed/cells").glob("*/metrics"))) < wanted:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.kill()
            process.communicate()
    again = run_adc(*words, "--out", "killed", cwd=folder)
    assert again.returncode == 0, again.stderr
    for name in ("measurements.csv", "table.csv"):
        assert (folder / "killed" / name).read_bytes() == (finished[0] / name).read_bytes()


def test_interrupted_it_says_how_to_go_on(folder):
    with start_adc("compare", "detectors.yaml", *QUIET, "--parallel", 2, cwd=folder) as process:
        deadline = time.monotonic() + 100
        while not list((folder / "runs/detectors/cells").glob("*/metrics")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert lines(said)[-1] == "adc: interrupted: run the same command again to continue"


def test_measurements_have_a_line_per_figure_and_cell(finished):
    with (finished[0] / "measurements.csv").open() as file:
        rows = list(csv.DictReader(file))
    f1 = [row for row in rows if row["metric"] == "F1" and not row["subject"]]
    assert len(f1) == 12
    assert {row["seed"] for row in f1} == {"0", "1", "2"}
    assert any(row["metric"] == "F1 of a" for row in rows)  # a detail
