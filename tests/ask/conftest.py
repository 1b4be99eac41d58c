"""A model that sees, behind a real server on loopback."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, unset_variables
from seeing_server import NAMES, Seeing, squares

from adc_core import Dataset, Findings, ImageArray, work_context
from adc_endpoint import keys
from adc_plugins_ask import VisualQuestions


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


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Findings]:
    """Asks in one folder, so that a second time goes on from the first."""

    def detect(dataset: Dataset, **options: Any) -> Findings:
        with work_context(tmp_path / "work"):
            return VisualQuestions(**options).detect(dataset)

    return detect


@pytest.fixture
def summary(tmp_path: Path) -> Callable[[], dict[str, Any]]:
    """What the last asking wrote of itself."""

    def read() -> dict[str, Any]:
        found: dict[str, Any] = json.loads((tmp_path / "work" / "asked.json").read_text())
        return found

    return read
