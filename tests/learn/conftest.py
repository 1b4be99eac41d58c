"""Small images that a network can tell apart, and the bytes of what it learned."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from adc_core.records.dataset import Dataset
from adc_plugins_learn.training.hardware.devices import seeded
from adc_plugins_learn.training.networks.backbones import build_backbone
from adc_plugins_learn.training.networks.model import NetworkModel


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks as small as these get slower, not faster, by a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def squares() -> Dataset:
    """31 images of 12 × 12 in the colour of their class, three classes; features: mean colours."""
    rng = np.random.default_rng(3)
    labels = np.arange(31) % 3
    pixels = rng.integers(0, 120, (31, 12, 12, 3), dtype=np.uint8)
    pixels[np.arange(31), :, :, labels] += 110
    features = pixels.mean(axis=(1, 2), dtype=np.float32) / 255
    names = ("red", "green", "blue")
    return Dataset(labels=labels, classes=names, images=pixels, features=features)


@pytest.fixture(scope="session")
def learned() -> Callable[[NetworkModel], bytes]:
    """All that a training made, as bytes: weights, dynamics and history."""

    def bytes_of(model: NetworkModel) -> bytes:
        dynamics = model.dynamics
        columns = (dynamics.given_probability, dynamics.margin, dynamics.loss, dynamics.correct)
        state = {k: v.contiguous() for k, v in model.network.state_dict().items()}
        return save(state) + b"".join(c.tobytes() for c in columns) + repr(model.history).encode()

    return bytes_of


@dataclass(frozen=True)
class Known:
    """The numbers of `vectors.json`: logits that ask for gradients, labels, a matrix, results."""

    Z: torch.Tensor
    Z2: torch.Tensor
    ZP: torch.Tensor
    y: torch.Tensor
    yp: torch.Tensor
    T: torch.Tensor
    expected: dict[str, Any]
    schedules: dict[str, Any]

    def agrees(self, losses: torch.Tensor) -> None:
        """Compare B losses or one, and the gradients of their mean, to 1e-9."""
        if losses.ndim and "per_sample" in self.expected:
            np.testing.assert_allclose(
                losses.detach(), self.expected["per_sample"], rtol=0, atol=1e-9
            )
        loss = losses.mean()
        assert loss.item() == pytest.approx(self.expected["loss"], rel=0, abs=1e-9)
        loss.backward()
        for name, gradient in self.expected.get("grad", {}).items():
            np.testing.assert_allclose(getattr(self, name).grad, gradient, rtol=0, atol=1e-9)


@pytest.fixture(scope="session")
def known() -> Callable[..., Known]:
    """Known numbers of a method and a case."""
    file = json.loads(Path(__file__).with_name("vectors.json").read_text())

    def known(method: str | None = None, case: str = "") -> Known:
        tensors = {
            name: torch.tensor(value, dtype=torch.float64 if name[0] in "ZT" else torch.int64)
            for name, value in file["fixtures"].items()
        }
        for name in ("Z", "Z2", "ZP"):
            tensors[name].requires_grad_()
        expected = file["vectors"][method][case] if method else {}
        return Known(**tensors, expected=expected, schedules=file["schedules"])

    return known


def _built(name, classes, weights="random", seed=0):
    with seeded(seed):
        return build_backbone(name, classes, weights)


def _weights_of(network, without=""):
    """Everything but the layers of this prefix."""
    return {
        name: value
        for name, value in network.state_dict().items()
        if not (without and name.startswith(without))
    }


def _same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.fixture(scope="session")
def built():
    """A network by name, its weights drawn from a seed."""
    return _built


@pytest.fixture(scope="session")
def weights_of():
    """The weights of a network, by name."""
    return _weights_of


@pytest.fixture(scope="session")
def same():
    """Whether two sets of weights are equal."""
    return _same


@pytest.fixture(scope="session")
def long_tail():
    """Known numbers of the methods for long tails."""
    return json.loads(Path(__file__).with_name("vectors.json").read_text())["long_tail"]


@pytest.fixture(scope="session")
def numbers():
    """All of `vectors.json`."""
    return json.loads(Path(__file__).with_name("vectors.json").read_text())
