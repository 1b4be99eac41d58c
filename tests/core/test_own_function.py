"""What a pipeline file may name to be called: only what is declared for the purpose."""

import sys
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from adc_core import InputError
from adc_core.components import load_own


def plain(x) -> np.ndarray:
    return x


def typed(x) -> NDArray[np.int64]:
    return x


def undeclared(x):
    return x


class Made(np.ndarray):
    """An array of one's own."""


@pytest.fixture(autouse=True)
def mine(monkeypatch):
    module = ModuleType("mine")
    module.plain, module.typed, module.undeclared, module.Made = plain, typed, undeclared, Made
    monkeypatch.setitem(sys.modules, "mine", module)


def load(name):
    return load_own(name, np.ndarray, "make arrays", "numpy.ndarray")


def test_what_is_declared():
    assert load("mine:plain") is plain
    assert load("mine:typed") is typed
    assert load("mine:Made") is Made


@pytest.mark.parametrize("name", ["mine:undeclared", "os:system", "builtins:list"])
def test_what_is_not(name):
    with pytest.raises(InputError) as caught:
        load(name)
    assert str(caught.value) == (
        f"{name} is not declared to make arrays: annotate it with -> numpy.ndarray"
    )


def test_what_is_not_there():
    with pytest.raises(InputError) as caught:
        load("mine:gone")
    assert str(caught.value) == (
        "mine:gone cannot be imported (module 'mine' has no attribute 'gone'): install its "
        "package, or name its folder in PYTHONPATH"
    )
