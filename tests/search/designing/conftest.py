"""The chat server, and an environment that names no model."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
VARIABLES = (
    "ADC_LLM_MODEL",
    "ADC_LLM_BASE_URL",
    "ADC_LLM_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
    "OLLAMA_BASE_URL",
)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def chat() -> Iterator[Any]:
    """A chat server without a script."""
    server = _load("chat_server").ChatServer().start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test sets is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def table6() -> dict[str, Any]:
    """The ADC paper's Table 6 with a hand-made key."""
    table: dict[str, Any] = yaml.safe_load((HERE / "table6.yaml").read_text(encoding="utf-8"))
    return table
