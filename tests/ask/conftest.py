"""A model that sees, behind a real server on loopback."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chat_server import ChatServer, unset_variables
from seeing_server import NAMES, Seeing, squares

from adc_core import Dataset, ImageArray
from adc_endpoint import keys


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A chat server whose model sees; the environment names it."""
    unset_variables(monkeypatch)
    monkeypatch.setattr(keys, "_secrets", set())
    server = ChatServer().start()
    server.model = Seeing()
    monkeypatch.setenv("ADC_VLM_MODEL", "seer")
    monkeypatch.setenv("ADC_VLM_BASE_URL", server.base_url)
    yield server
    server.stop()


@pytest.fixture
def dataset_of() -> Callable[..., Dataset]:
    """Datasets of squares, some of them with a wrong label."""

    def make(count: int, wrong: int = 0, **columns: Any) -> Dataset:
        images, labels, _ = squares(count, wrong)
        return Dataset(labels=labels, classes=NAMES, images=ImageArray(images), **columns)

    return make
