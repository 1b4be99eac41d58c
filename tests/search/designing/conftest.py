"""The chat server, and an environment that names no model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_server import ChatServer, unset_variables

HERE = Path(__file__).parent


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    """A chat server without a script."""
    server = ChatServer().start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test sets is set."""
    unset_variables(monkeypatch)


@pytest.fixture(scope="session")
def table6() -> dict[str, Any]:
    """The ADC paper's Table 6 with a hand-made key."""
    table: dict[str, Any] = yaml.safe_load((HERE / "table6.yaml").read_text(encoding="utf-8"))
    return table
