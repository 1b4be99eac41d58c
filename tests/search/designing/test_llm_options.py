"""The options of the designer: which are refused, and which make another designer of it."""

import pickle

import pytest

from adc_core.components.registry import registry
from adc_plugins_search.designers.llm import LlmDesigner


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attributes": ["fit", "fit"]}, "duplicate attribute 'fit': keep one"),
        (
            {"attributes": ["class"]},
            "'class' cannot be an attribute: the slot {class} is the class",
        ),
        (
            {"template": "{class}"},
            "template: name the attributes of its slots: attributes: […]",
        ),
        (
            {"template": "{class}", "attributes": ["fit"]},
            "template: '{class}' must hold each of {class}, {fit} once",
        ),
        ({"candidates": 0}, "Input should be greater than or equal to 1"),
    ],
)
def test_options_that_are_wrong(options, message):
    with pytest.raises(ValueError) as raised:
        LlmDesigner(**options)
    assert message in str(raised.value)


def test_the_model_of_the_environment_counts_as_an_option(monkeypatch):
    monkeypatch.setenv("ADC_LLM_MODEL", "one")
    first = LlmDesigner().fingerprint
    assert LlmDesigner(model="one").fingerprint == first
    assert LlmDesigner(timeout=5, price_in=1).fingerprint == first
    monkeypatch.setenv("ADC_LLM_MODEL", "two")
    assert LlmDesigner().fingerprint != first
    assert pickle.loads(pickle.dumps(LlmDesigner())) == LlmDesigner()


def test_it_is_registered():
    from adc_core.components.interfaces import Designer

    assert registry.load(Designer, "llm") is LlmDesigner
