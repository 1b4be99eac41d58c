"""Several processes on the CPU train what one trains, for every way of using networks."""

import multiprocessing
import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from adc_core.components.context import progress, work_context
from adc_core.components.interfaces import Learner
from adc_core.components.registry import registry
from adc_core.errors import InputError, WorkError
from adc_plugins_learn.learners.cross_entropy import CrossEntropy
from adc_plugins_learn.training.hardware import distributed as hardware

NETWORK = """
from torch import nn

def plain(outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, outputs)
    )
"""
QUICK = {"image_size": 12, "epochs": 2, "batch_size": 8, "device": "cpu", "checkpoint_minutes": 0}


@pytest.fixture(scope="module", autouse=True)
def forked():
    """Processes that need not import torch first."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["torch._dynamo", "adc_plugins_learn.training.network_learner", "PIL.Image"]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hardware, "get_context", lambda method: context)
        yield


@pytest.fixture
def plain(tmp_path, monkeypatch):
    """A network without BatchNorm, whose passes do not depend on what else is in the batch."""
    (tmp_path / "plain_network.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield "plain_network:plain"
    sys.modules.pop("plain_network", None)


@pytest.fixture(scope="module")
def whole(squares, forked):
    """What two processes learn, with BatchNorm, whose statistics differ from share to share."""
    return CrossEntropy(**QUICK, devices=2).learn(squares)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cross-entropy", {"weight_average": 0.9, "clip_gradient_norm": 1}),
        ("dividemix", {}),
        ("elr-plus", {}),
        ("learning-to-reweight", {"trusted_batch_size": 4}),
    ],
)
def test_together_they_learn_what_one_learns(plain, squares, name, options):
    """One network and its average, two in turns, two at once with an average of each, and
    second derivatives.
    """
    learner = partial(registry.load(Learner, name), **options)
    alone = learner(**QUICK, backbone=plain).learn(squares, squares)
    # The batches of 31 samples have 8, 8, 8 and 7, so that no share of the last is whole.
    together = learner(**QUICK, backbone=plain, devices=2).learn(squares, squares)
    torch.testing.assert_close(
        together.network.state_dict(), alone.network.state_dict(), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(together.dynamics.loss, alone.dynamics.loss, rtol=1e-3, atol=1e-4)
    assert [e.validation_accuracy for e in together.history] == [
        e.validation_accuracy for e in alone.history
    ]


def test_images_are_streamed_in_each_process(squares, learned):
    """One epoch: each begins processes of its own that decode."""
    once = QUICK | {"epochs": 1}
    learner = CrossEntropy(**once, devices=2, image_loading="streaming", num_workers=1)
    assert learned(learner.learn(squares)) == learned(
        CrossEntropy(**once, devices=2).learn(squares)
    )


class StopError(Exception):
    pass


def test_stopped_and_started_again(squares, learned, whole, tmp_path):
    learner = CrossEntropy(**QUICK, devices=2)

    def stop(done, total, unit):
        if done == 6:
            raise StopError

    with pytest.raises(StopError), work_context(tmp_path, stop):
        learner.learn(squares)
    steps = []
    with work_context(tmp_path, lambda done, *_: steps.append(done)):
        again = learner.learn(squares)
    assert learned(again) == learned(whole)
    assert steps == [5, 6, 7, 8]
    with work_context(tmp_path, lambda *_: steps.clear()):
        assert learned(learner.learn(squares)) == learned(whole)
    assert steps
    assert np.mean(whole.predict(squares.images).labels == squares.labels) > 0.9


def test_faults_are_one_line(squares, monkeypatch):
    with pytest.raises(
        InputError, match=r"^devices: 2 need device: auto, cpu or cuda, not cuda:1$"
    ):
        CrossEntropy(**QUICK | {"device": "cuda:1"}, devices=2).learn(squares)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(InputError, match=r"^there are 1 GPUs here, but devices is 2: lower it$"):
        CrossEntropy(**QUICK | {"device": "cuda"}, devices=2).learn(squares)
    with pytest.raises(InputError, match=r"^inception_v3 "):
        CrossEntropy(**QUICK, backbone="inception_v3", devices=2).learn(squares)


def test_a_process_that_imports_torch_itself(monkeypatch, tmp_path):
    """As everywhere but here; for a rendezvous, and to report to this process, one is enough."""
    monkeypatch.setattr(hardware, "get_context", multiprocessing.get_context)
    heard = []
    with work_context(tmp_path, lambda *told: heard.append(told)):
        hardware.launch(1, "cpu", tmp_path, progress, 3, "step")
    assert heard == [(torch.device("cpu"), 3, "step")]


def test_a_process_that_dies(squares, plain, tmp_path):
    (tmp_path / "plain_network.py").write_text(
        NETWORK + "import os\nfrom torch import distributed\n"
        "if distributed.is_initialized() and distributed.get_rank() == 1:\n    os._exit(9)\n"
    )
    with pytest.raises(WorkError) as caught:
        CrossEntropy(**QUICK, backbone=plain, devices=2).learn(squares)
    assert str(caught.value) == (
        "a training process died (exit code 9): free memory or lower batch_size, then run again "
        "to go on from the last epoch"
    )


def test_without_others_nothing_is_shared():
    from adc_plugins_learn.training.hardware.distributed import (
        is_main_process,
        shard_forward,
        sync_batch_norm,
    )

    network = nn.BatchNorm2d(3)
    assert is_main_process()
    assert sync_batch_norm(network, torch.device("cpu")) is network
    assert shard_forward([network]) == [network]
