"""Components: what makes two of them the same."""

import importlib.util
import sys
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError

from adc_core import Detector, LocalPath
from adc_core.components.component import unique_names
from adc_core.components.registry import registry
from adc_core.errors import lines_of


class WithFile(Detector):
    """Reads a file and has an option that only sets its pace."""

    execution_options: ClassVar = ("workers",)
    renamed_options: ClassVar = {"processes": "workers"}

    weights: LocalPath = Field(description="a file")
    workers: int = Field(default=1, description="how fast")
    order: dict[str, int] = Field(default_factory=dict, description="its order matters")

    def detect(self, dataset):
        raise AssertionError("not called")


def test_a_file_counts_by_its_content(tmp_path):
    registry.add("with-file", WithFile)
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("same")
    other.write_text("same")
    assert WithFile(weights=one).fingerprint == WithFile(weights=other).fingerprint
    before = WithFile(weights=one).fingerprint
    one.write_text("changed")
    assert WithFile(weights=one).fingerprint != before


def test_pace_does_not_count_and_order_does(tmp_path):
    slow = WithFile(weights=tmp_path, order={"a": 1, "b": 2})
    assert slow.fingerprint == slow.model_copy(update={"workers": 9}).fingerprint
    turned = slow.model_copy(update={"order": {"b": 2, "a": 1}})
    assert slow.fingerprint != turned.fingerprint


def test_a_former_name_of_an_option_is_refused_with_the_present_one(tmp_path):
    with pytest.raises(ValidationError) as caught:
        WithFile(weights=tmp_path, processes=2)
    (line,) = lines_of(caught.value)
    assert line == 'processes: "processes" has a new name: write "workers"'


class Nested(Detector):
    """Holds other components."""

    requires: ClassVar = ("features",)

    one: Detector = Field(description="a detector")
    more: tuple[Detector, ...] = Field(default=(), description="detectors")

    def detect(self, dataset):
        raise AssertionError("not called")


class Reads(WithFile):
    """Reads two columns."""

    requires: ClassVar = ("features", "votes")


def test_a_component_needs_what_those_within_it_need(tmp_path):
    reader, plain = Reads(weights=tmp_path), WithFile(weights=tmp_path)
    assert plain.required_columns == ()
    assert Nested(one=plain).required_columns == ("features",)
    assert Nested(one=plain, more=(plain, reader)).required_columns == ("features", "votes")
    assert Nested(one=Nested(one=reader)).required_columns == ("features", "votes")


def test_components_of_one_name_are_numbered(tmp_path):
    for name, component in (("with-file", WithFile), ("reads", Reads)):
        registry.add(name, component)
    one, other = WithFile(weights=tmp_path), Reads(weights=tmp_path)
    assert unique_names([one, other, one]) == ["with-file", "reads", "with-file-2"]


CLASS = '''
from adc_core import Detector

class Edited(Detector):
    """Is being written."""

    def detect(self, dataset):
        raise AssertionError
'''


def test_the_file_of_a_class_that_is_being_written_counts(tmp_path, monkeypatch):
    def fingerprint(code, place):
        path = tmp_path / place / "edited_detector.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        spec = importlib.util.spec_from_file_location("edited_detector", path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "edited_detector", module)
        spec.loader.exec_module(module)
        return module.Edited().fingerprint

    first = fingerprint(CLASS, "one")
    assert fingerprint(CLASS, "two") == first
    assert fingerprint(CLASS + "# edited", "one") != first
    # What is installed counts by its version.
    installed = fingerprint(CLASS, "site-packages")
    assert fingerprint(CLASS + "# edited", "site-packages") == installed
