"""Folds that are trained at once, each in a process of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from adc_process import start_program

from adc_core.arrays import stratified_folds
from adc_core.components.context import work_context
from adc_core.components.signals import signal_handlers
from adc_core.errors import InputError, WorkError
from adc_plugins_learn.enrichers import cross_validation as module
from adc_plugins_learn.enrichers.cross_validation import CrossValidation
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training import fold_worker
from adc_plugins_learn.training.fold_worker import CURVES

sys.path.insert(0, str(Path(__file__).parent))
from fold_learners import Faulty, Silent

SMALL = {"image_size": 8, "epochs": 2, "batch_size": 8, "device": "cpu"}


WORKER = f"""
import sys
from adc_plugins_learn.training.fold_worker import _main
sys.path.insert(0, {str(Path(__file__).parent)!r})
sys.exit(_main(*sys.argv[1:]))
"""


@pytest.fixture
def real_processes(monkeypatch):
    """Processes for small data too, which find the learners of the tests."""
    monkeypatch.setattr(module, "_WORTH_PROCESSES", 0)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture
def processes(real_processes, monkeypatch):
    """The same, forked from one that has imported torch."""

    def start(command, **_):
        assert command[1:3] == ["-m", "adc_plugins_learn.training.fold_worker"]
        return start_program(WORKER, *command[3:])

    changed = vars(subprocess) | {"Popen": start}
    monkeypatch.setattr(fold_worker, "subprocess", SimpleNamespace(**changed))


def validation(learner=None, folds=3, **options):
    return CrossValidation(learner=learner or CrossEntropy(**SMALL), folds=folds, **options)


def alive(folder):
    """Which of the processes that left their number are still there."""
    found = []
    for path in folder.iterdir():
        try:
            os.kill(int(path.name), 0)
        except ProcessLookupError:
            continue
        found.append(path.name)
    return found


def test_dynamics_are_averaged_over_the_trainings_that_learned_from_a_sample(squares):
    found = validation(dynamics=True).enrich(squares).dynamics
    fold = stratified_folds(squares.labels, 3, 0, keep_lone=True)
    curves = {name: np.zeros((31, 2)) for name in CURVES}
    for number in range(3):
        rows = np.flatnonzero(fold != number)
        model = CrossEntropy(**SMALL).learn(squares.take(rows))
        for name in CURVES:
            curves[name][rows] += getattr(model.dynamics, name)
    for name in CURVES:  # every sample was learned from in two of three trainings
        np.testing.assert_allclose(getattr(found, name), curves[name] / 2, atol=1e-6)
    assert validation(dynamics=True).provided_columns == ("probabilities", "dynamics")
    assert validation().provided_columns == ("probabilities",)


def test_dynamics_are_kept_only_where_they_are_asked_for(squares):
    plain = validation().enrich(squares)
    assert plain.dynamics is None
    assert validation(dynamics=True).enrich(squares).probabilities == plain.probabilities


def test_a_learner_without_dynamics(squares):
    with pytest.raises(InputError) as raised:
        validation(Silent(**SMALL), dynamics=True).enrich(squares)
    assert str(raised.value) == (
        "the learner Silent records no training dynamics: choose another, or leave out dynamics"
    )


def test_same_bytes_and_all_steps_whatever_the_number_of_processes(
    squares, processes, monkeypatch, tmp_path
):
    two = CrossValidation(learner=CrossEntropy(**SMALL), folds=2, dynamics=True)
    found = []
    for cores in (1, 2):
        heard = []
        monkeypatch.setattr(module.os, "cpu_count", lambda cores=cores: cores)
        with work_context(tmp_path / str(cores), lambda *told, heard=heard: heard.append(told)):
            found.append(two.enrich(squares))
        done = [one for one, _, _ in heard]
        assert done == sorted(done) and done[-1] == 8
        assert {(total, unit) for _, total, unit in heard} == {(8, "step")}
    monkeypatch.setattr(module, "_WORTH_PROCESSES", 1000)
    alone = two.enrich(squares)
    assert found[0] == found[1] == alone


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("input", InputError, "the images are upside down: turn them"),
        ("killed", WorkError, "the training of a fold ended early: it was killed"),
        ("bug", WorkError, "the training of a fold ended early: ZeroDivisionError: a bug"),
    ],
)
def test_what_fails_in_a_process_is_one_line_here(squares, request, tmp_path, how, kind, message):
    """One of them begins as everywhere: as a program of its own."""
    request.getfixturevalue("real_processes" if how == "input" else "processes")
    learner = Faulty(**SMALL, how=how, notes=tmp_path / "notes")
    with work_context(tmp_path / "work"), pytest.raises(kind) as raised:
        validation(learner, folds=2).enrich(squares)
    assert (type(raised.value), str(raised.value)) == (kind, message)
    assert list((tmp_path / "notes").iterdir())  # which says that it happened in processes,
    assert not (tmp_path / "notes" / str(os.getpid())).exists()
    assert alive(tmp_path / "notes") == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interruption_leaves_no_process(squares, processes, monkeypatch, tmp_path):
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    notes = tmp_path / "notes"
    notes.mkdir()
    learner = Faulty(**SMALL, how="slow", notes=notes)

    def interrupt():
        until = time.monotonic() + 40
        while len(list(notes.iterdir())) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with signal_handlers(), work_context(tmp_path / "work"), pytest.raises(KeyboardInterrupt):
        validation(learner, folds=2).enrich(squares)
    thread.join()
    assert len(list(notes.iterdir())) == 2
    assert alive(notes) == []


def test_a_fold_that_was_finished_before_is_not_trained_again(squares, tmp_path):
    with work_context(tmp_path):
        first = validation().enrich(squares)
        (folder,) = tmp_path.iterdir()
        kept = {path.name: path.stat().st_ino for path in folder.iterdir()}
        assert sorted(kept) == ["fold-1", "fold-2", "fold-3"]
        for path in (folder / "fold-2").iterdir():
            path.unlink()
        (folder / "fold-2").rmdir()
        assert validation().enrich(squares) == first
        again = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert sorted(again) == sorted(kept)
    assert [name for name in kept if kept[name] == again[name]] == ["fold-1", "fold-3"]


def test_only_a_cpu_and_what_can_be_sent_gets_processes(squares, processes):
    class Local(CrossEntropy):
        """Cannot be named in another process."""

    jobs = [
        module.FoldJob(CrossEntropy(**SMALL), squares, squares, False, Path(name), Path(name))
        for name in "ab"
    ]
    assert validation()._in_processes(jobs)
    assert not validation(Local(**SMALL))._in_processes(jobs)
    assert not validation()._in_processes(jobs[:1])
