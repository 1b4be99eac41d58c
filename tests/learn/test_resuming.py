"""A training that is stopped, by whatever, and started again ends as if nothing had happened."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from adc_process import start_program

from adc_core import save_dataset
from adc_core.components.context import work_context, work_folder
from adc_plugins_learn import (
    Cores,
    CrossEntropy,
    DivideMix,
    LearningToReweight,
    MentorNet,
    ProgressiveEarlyStopping,
    SparseOverParameterization,
)

sys.path.insert(0, str(Path(__file__).parent))  # finds quick_networks, as PYTHONPATH would

STEPS = 3 * 4
"""Three epochs of 31 samples in batches of eight."""


def learner(backbone="small-cnn", **options):
    settings = {"image_size": 16, "epochs": 3, "batch_size": 8, "checkpoint_minutes": 0}
    return CrossEntropy(backbone=backbone, **settings | options)


class StopError(Exception):
    pass


def stop_after(step):
    def on_progress(done, total, unit):
        if done >= step:  # methods make other numbers of steps, which are scaled
            raise StopError

    return on_progress


def stopped_at(step, learner, dataset, folder, **arguments):
    with pytest.raises(StopError), work_context(folder, stop_after(step)):
        learner.learn(dataset, **arguments)


def finished(learner, dataset, folder, **arguments):
    """The model, and the steps that were still to do."""
    steps = []
    with work_context(folder, lambda done, *_: steps.append(done)):
        return learner.learn(dataset, **arguments), steps


@pytest.fixture(scope="module", params=["small-cnn", "quick_networks:quick_dropout"])
def backbone(request):
    """A plain network, and one whose dropout draws from torch's global generator."""
    return request.param


@pytest.fixture(scope="module")
def uninterrupted(squares, learned, backbone):
    return learned(learner(backbone).learn(squares))


@pytest.mark.parametrize("step", [1, 4, 5, 8, 11, 12])
def test_stopped_at_a_step(squares, learned, backbone, uninterrupted, tmp_path, step):
    stopped_at(step, learner(backbone), squares, tmp_path)
    model, steps = finished(learner(backbone), squares, tmp_path)
    assert learned(model) == uninterrupted
    assert steps[0] == (step - 1) // 4 * 4 + 1  # no finished epoch is done again


def test_stopped_again_and_again(squares, learned, backbone, uninterrupted, tmp_path):
    for step in (2, 6, 7, 10):
        stopped_at(step, learner(backbone), squares, tmp_path)
    assert learned(finished(learner(backbone), squares, tmp_path)[0]) == uninterrupted


def test_killed(squares, learned, backbone, uninterrupted, tmp_path):
    save_dataset(squares, tmp_path / "dataset")
    program = Path(__file__).with_name("training_to_kill.py").read_text()
    kill_after = np.random.default_rng().integers(1, STEPS)
    words = (tmp_path / "dataset", backbone, tmp_path / "work")
    with start_program(program, *words, cwd=Path(__file__).parent) as process:
        for line in process.stdout:
            if int(line) >= kill_after:
                os.kill(process.pid, signal.SIGKILL)
                break
        process.stdout.read()
    assert process.returncode == -signal.SIGKILL
    model, steps = finished(learner(backbone), squares, tmp_path / "work")
    assert learned(model) == uninterrupted
    # The checkpoint of the epoch before may still have been on its way to the disk.
    assert len(steps) < STEPS or kill_after <= 8


def test_a_finished_training_is_not_done_again(squares, learned, tmp_path):
    first, _ = finished(learner(), squares, tmp_path)
    again, steps = finished(learner(), squares, tmp_path)
    assert learned(again) == learned(first)
    assert steps == []


@pytest.mark.parametrize("step", [6, 10])
def test_further_options_are_resumed_too(squares, learned, tmp_path, step):
    further = learner(
        optimizer="adamw",
        learning_rate=0.01,
        decay_biases=False,
        ramp_up_epochs=0.5,
        restart_epochs=2,
        clip_gradient_norm=1,
        weight_average=0.9,
        select_epoch="best",
    )
    stopped_at(step, further, squares, tmp_path, validation=squares)
    model, _ = finished(further, squares, tmp_path, validation=squares)
    assert learned(model) == learned(further.learn(squares, squares))


def test_validation_is_resumed_too(squares, learned, tmp_path):
    stopped_at(10, learner(), squares, tmp_path, validation=squares)
    model, _ = finished(learner(), squares, tmp_path, validation=squares)
    assert learned(model) == learned(learner().learn(squares, squares))


WITH_MEMORIES = {
    "sop": (SparseOverParameterization, {"consistency": 0.9, "balance": 0.1}),
    "pes": (ProgressiveEarlyStopping, {"refine_epochs": (2, 1), "freeze_backbone": 0.2}),
    "pes-mixmatch": (
        ProgressiveEarlyStopping,
        {"refine_epochs": (2, 1), "semi_supervised": True},
    ),
    "mentornet": (MentorNet, {"falloff": 0.5}),
    "learning-to-reweight": (LearningToReweight, {}),
    "cores": (Cores, {"second_phase": 0.5}),
    "dividemix": (DivideMix, {"balanced_batches": 2, "remembered_epochs": 2}),
    "parts": (
        CrossEntropy,
        {
            "sampler": {"use": "class-balanced", "after": 0.3},
            "criterion": {"use": "ldam", "reweight_after": 0.3},
            "adjust": "logit-adjustment",
            "posthoc": "logit-adjustment",
            "freeze_backbone": 0.5,
            "first_layer_rate": 0.1,
        },
    ),
}


@pytest.mark.parametrize("name", WITH_MEMORIES)
def test_methods_that_remember_are_resumed_in_every_epoch(squares, learned, tmp_path, name):
    method, options = WITH_MEMORIES[name]
    settings = {"image_size": 8, "epochs": 6, "batch_size": 8, "backbone": "tiny-cnn"}
    remembering = method(**settings, **options, checkpoint_minutes=0)
    few = squares.take(np.flatnonzero((squares.labels > 0) | (np.arange(31) < 6)))
    per_epoch = len(few) // 8 + (len(few) % 8 > 1)
    for epoch in range(1, 6):
        stopped_at(epoch * per_epoch + 1, remembering, few, tmp_path)
    assert learned(finished(remembering, few, tmp_path)[0]) == learned(remembering.learn(few))


def test_other_trainings_in_the_folder_do_not_meet(squares, learned, tmp_path):
    others = [
        (learner(seed=1), squares, {}),
        (learner(learning_rate=0.01), squares, {}),
        (learner(), squares.relabeled((squares.labels + 1) % 3), {}),
        (learner(), squares.replace(images=255 - squares.images.array), {}),
        (learner(), squares, {"validation": squares}),
    ]
    finished(learner(), squares, tmp_path)
    for other, dataset, arguments in others:
        model, steps = finished(other, dataset, tmp_path, **arguments)
        assert len(steps) == STEPS
        assert learned(model) == learned(other.learn(dataset, **arguments))
    assert finished(learner(), squares, tmp_path)[1] == []


def test_a_damaged_checkpoint_starts_the_training_over(squares, learned, tmp_path):
    stopped_at(10, learner(), squares, tmp_path)
    (checkpoint,) = tmp_path.glob("checkpoint-*.pt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=r"is damaged: the training starts over$"):
        model, steps = finished(learner(), squares, tmp_path)
    assert len(steps) == STEPS
    assert learned(model) == learned(learner().learn(squares))


def test_not_every_epoch_is_written(squares, learned, tmp_path):
    """Within a minute nothing is, but the last epoch: a stopped training starts over."""
    seldom = learner(checkpoint_minutes=1)
    stopped_at(10, seldom, squares, tmp_path)
    assert not list(tmp_path.glob("checkpoint-*.pt"))
    model, steps = finished(seldom, squares, tmp_path)
    assert (len(steps), learned(model)) == (STEPS, learned(learner().learn(squares)))
    assert finished(learner(), squares, tmp_path)[1] == []  # another interval, the same training


def test_one_checkpoint_is_kept(squares, tmp_path):
    finished(learner(), squares, tmp_path)
    with work_context(tmp_path):
        assert len(list(work_folder().iterdir())) == 1
