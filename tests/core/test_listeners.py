"""Listeners: all hear, none harms."""

import warnings

import pytest
from pluggy import PluginValidationError

from adc_core import hookimpl
from adc_core.runs.listeners import Listeners, installed_listeners


class Counter:
    def __init__(self):
        self.heard = []

    @hookimpl
    def adc_stage_started(self, stage):
        self.heard.append(stage)


class Broken:
    @hookimpl
    def adc_stage_started(self, stage):
        raise RuntimeError("I am broken")


class Misspelt:
    @hookimpl
    def adc_stage_begun(self, stage):
        raise AssertionError("not called")


class WrongArguments:
    @hookimpl
    def adc_stage_started(self, stage, color):
        raise AssertionError("not called")


def test_all_hear():
    listeners, one, other = Listeners(), Counter(), Counter()
    listeners.register(one, "one")
    listeners.register(other, "other")
    listeners.tell("adc_stage_started", stage="encoder")
    assert one.heard == other.heard == ["encoder"]


def test_a_broken_listener_is_named_and_hears_no_more():
    listeners, good = Listeners(), Counter()
    listeners.register(Broken(), "acme/broken")
    listeners.register(good, "acme/good")
    with pytest.warns(UserWarning) as caught:
        listeners.tell("adc_stage_started", stage="encoder")
    assert [str(warning.message) for warning in caught] == [
        "listener acme/broken is left out from here on: RuntimeError('I am broken')"
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        listeners.tell("adc_stage_started", stage="metrics")
    assert good.heard == ["encoder", "metrics"]
    assert listeners.names == ("acme/good",)


@pytest.mark.parametrize("wrong", [Misspelt, WrongArguments])
def test_a_misspelt_hook_is_refused_whole(wrong):
    listeners = Listeners()
    with pytest.raises(PluginValidationError):
        listeners.register(wrong(), "acme/wrong")
    assert listeners.names == ()
    listeners.tell("adc_stage_started", stage="encoder")


def test_installed_listeners_can_be_blocked():
    assert "adc-core/progress" in installed_listeners().names
    assert "adc-core/progress" not in installed_listeners(["adc-core/progress"]).names
