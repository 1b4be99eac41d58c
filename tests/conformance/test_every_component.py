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


TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 64, "layers": 1, "width": 64, "patch_size": 32},
    "text_cfg": {"context_length": 16, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture
def tiny_clip(monkeypatch):
    """The smallest model that open_clip has, smaller still: its checks took half a minute."""
    open_clip = pytest.importorskip("open_clip", reason="open_clip is an extra")
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-S-32-alt", TINY)


@pytest.mark.parametrize(("interface", "name", "check"), CASES)
def test_keeps_its_promises(interface, name, check, seeing, monkeypatch, request):
    component = registry.load(interface, name)
    if check.__name__ in component.known_exceptions:
        pytest.skip(component.known_exceptions[check.__name__])
    if name in ("adc-plugins-learn/open-clip", "adc-plugins-learn/image-text"):
        request.getfixturevalue("tiny_clip")
    if component.asks_service:
        unset_variables(monkeypatch)
        monkeypatch.setenv("ADC_VLM_MODEL", "seer")
        monkeypatch.setenv("ADC_VLM_BASE_URL", seeing)
    check(example_of(component))
