"""Every registered component keeps every promise of its interface."""

import pytest
from chat_server import ChatServer, unset_variables
from seeing_server import Seeing

from adc_core.components.interfaces import interface_of
from adc_core.components.registry import registry
from adc_core.testing import checks_for, example_of

CASES = [
    pytest.param(interface, entry.full_name, check, id=f"{entry.full_name}-{check.__name__}")
    for kind in registry.kinds()
    for interface in [interface_of(kind)]
    for entry in registry.entries(kind)
    for check in checks_for(interface)
]


@pytest.fixture(scope="module")
def seeing():
    """The address of a model that sees the toy dataset's colors."""
    server = ChatServer().start()
    server.model = Seeing(colors={color: color for color in ("red", "green", "blue")})
    yield server.base_url
    server.stop()


@pytest.mark.parametrize(("interface", "name", "check"), CASES)
def test_keeps_its_promises(interface, name, check, seeing, monkeypatch):
    component = registry.load(interface, name)
    if component.asks_service:
        unset_variables(monkeypatch)
        monkeypatch.setenv("ADC_VLM_MODEL", "seer")
        monkeypatch.setenv("ADC_VLM_BASE_URL", seeing)
    check(example_of(component))
