"""The chat server, and an environment that names no model."""

from collections.abc import Iterator

import pytest
from chat_server import ChatServer, unset_variables

from adc_endpoint import keys


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    """A chat server without a script."""
    server = ChatServer().start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test sets is set, and no key of one test is blotted out in another."""
    unset_variables(monkeypatch)
    monkeypatch.setattr(keys, "_secrets", set())
