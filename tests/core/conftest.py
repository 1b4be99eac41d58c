import importlib.util
import sys
from pathlib import Path

import pytest


def _toys():
    """The toy components, imported once under one name, here and in child processes."""
    spec = importlib.util.spec_from_file_location(
        "toy_plugins", Path(__file__).with_name("toy_plugins.py")
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy_plugins"] = module
    spec.loader.exec_module(module)
    module.add_toys()
    return module


TOYS = sys.modules.get("toy_plugins") or _toys()


@pytest.fixture
def toys():
    """The module of toy components, with an empty list of calls."""
    TOYS.CALLS.clear()
    return TOYS
