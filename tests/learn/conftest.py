"""Small pictures that a network can tell apart, and the bytes of what it learned."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from safetensors.torch import save

from adc_core.dataset import Dataset
from adc_plugins_learn.training.network_model import NetworkModel


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks as small as these get slower, not faster, by a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def squares() -> Dataset:
    """31 pictures of 12 × 12 in the colour of their class, three classes."""
    rng = np.random.default_rng(3)
    labels = np.arange(31) % 3
    pixels = rng.integers(0, 120, (31, 12, 12, 3), dtype=np.uint8)
    pixels[np.arange(31), :, :, labels] += 110
    return Dataset(labels=labels, classes=("red", "green", "blue"), images=pixels)


@pytest.fixture(scope="session")
def learned() -> Callable[[NetworkModel], bytes]:
    """All that a training made, as bytes: weights, dynamics and history."""

    def bytes_of(model: NetworkModel) -> bytes:
        dynamics = model.dynamics
        columns = (dynamics.given_probability, dynamics.margin, dynamics.loss, dynamics.correct)
        state = {k: v.contiguous() for k, v in model.network.state_dict().items()}
        return save(state) + b"".join(c.tobytes() for c in columns) + repr(model.history).encode()

    return bytes_of
