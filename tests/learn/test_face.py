"""The face of the package: what a user imports, without torch until it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import adc_plugins_learn
from adc_core.components.interfaces import interface_of
from adc_core.components.registry import registry


@pytest.mark.parametrize("name", adc_plugins_learn.__all__)
def test_every_name_is_there(name):
    assert getattr(adc_plugins_learn, name).__name__ == name


def test_every_component_is_on_it():
    for kind in registry.kinds():
        for entry in registry.entries(kind):
            if entry.package == "adc-plugins-learn":
                component = registry.load(interface_of(kind), entry.full_name)
                assert getattr(adc_plugins_learn, component.__name__) is component


def test_the_stub_lists_what_it_imports():
    """Python takes the names from its imports, type checkers from its list."""
    *_, listed = ast.parse(Path(adc_plugins_learn.__file__).with_suffix(".pyi").read_text()).body
    assert sorted(ast.literal_eval(listed.value)) == adc_plugins_learn.__all__


def test_nothing_heavy_is_imported_with_it():
    code = "import sys, adc_plugins_learn; print({'torch', 'numpy', 'pydantic'} & set(sys.modules))"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert printed.stdout == "set()\n"


def test_renamed_options_lead_to_present_ones():
    for name in adc_plugins_learn.__all__:
        renamed = getattr(getattr(adc_plugins_learn, name), "renamed_options", {})
        if renamed:
            fields = getattr(adc_plugins_learn, name).model_fields
            assert set(renamed.values()) <= set(fields)
            assert not set(renamed) & set(fields)
    assert adc_plugins_learn.DivideMix.renamed_options["shift"] == "max_translation"
