"""Components: what makes two of them the same."""

from typing import ClassVar

from pydantic import Field

from adc_core import Detector, LocalPath
from adc_core.registry import registry


class WithFile(Detector):
    """Reads a file and has an option that only sets its pace."""

    pace: ClassVar = ("workers",)

    weights: LocalPath = Field(description="a file")
    workers: int = Field(1, description="how fast")
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
