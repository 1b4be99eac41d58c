"""What help and notebooks show of records and components."""

import inspect
from typing import Literal

import pytest
from numpy.typing import ArrayLike

import adc_core
from adc_core import Dataset, Detector, Estimate, Hit
from adc_core.components.component import Component
from adc_core.records.record import Record
from adc_core.records.signatures import readable


def test_a_record_shows_its_fields():
    assert str(inspect.signature(Estimate)) == "(*, low: float, point: float, high: float)"
    shown = str(inspect.signature(Dataset))
    assert shown.startswith("(*, labels: NDArray[int64], ids: NDArray[str_] = ...,")
    Dataset(labels=[0, 1])  # pydantic makes a signature of its own once the model is built
    assert str(inspect.signature(Dataset)) == shown


@pytest.mark.parametrize("name", adc_core.__all__)
def test_no_signature_is_longer_than_a_screen(name):
    one = getattr(adc_core, name)
    if isinstance(one, type) and issubclass(one, Record | Component):
        assert len(str(inspect.signature(one))) < 800


def test_a_function_shows_what_its_author_wrote():
    def judge(labels: ArrayLike, evidence: Hit | ArrayLike, *, k: int | None = 3) -> Estimate: ...

    assert str(readable(inspect.signature(judge))) == (
        "(labels: ArrayLike, evidence: ArrayLike | Hit, *, k: int | None = 3) -> Estimate"
    )


def test_a_component_shows_its_options():
    class Rank(Detector):
        k: int = 10
        rule: Literal["rank", "vote"] = "rank"

    assert str(inspect.signature(Rank)) == (
        "(*, k: int = 10, rule: Literal['rank', 'vote'] = 'rank')"
    )
