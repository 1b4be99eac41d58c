"""Rules on titles and sizes: the worked example, unknown values, reasons and missing columns."""

import numpy as np
import pyarrow as pa
import pytest

from adc_core import Dataset, InputError
from adc_plugins_detect import TextRules
from adc_plugins_detect.curators.text_rules import SETS, text_rule

USUAL = {"title": "grey wool sweater", "bytes": 30_000, "width": 640, "height": 480}
ROWS = [
    {"title": "one of its kind"},
    {"title": ""},
    {"title": "ab"},
    {"title": "grey sweater"},
    {"title": "w " * 21},
    {"bytes": 4999, "title": "a small file"},
    {"width": 200, "height": 300, "title": "a small side"},
    {"width": 201, "height": 602, "title": "just right here"},
    {"width": 201, "height": 603, "title": "a long shape"},
    {"title": "ok", "bytes": 10},
    {"title": None, "bytes": None, "width": None, "height": None},
]
LAION = ["", "no text", "short text", *[""] * 2, "small file", *[""] * 3, "short text", "no text"]
ALIGN = [
    *("", "no text", "few words", "few words", "many words", "", "small side", "", "long shape"),
    *("few words", "no text"),
]


def dataset_of(rows):
    sources = pa.Table.from_pylist([USUAL | row for row in rows])
    return Dataset(labels=np.arange(len(rows)) % 2, sources=sources)


@pytest.mark.parametrize(("rules", "reasons"), [("laion", LAION), ("align", ALIGN)])
def test_sets_of_the_worked_example(rules, reasons):
    curation = TextRules(rules=rules).curate(dataset_of(ROWS), ())
    found = dict(zip(*(curation.changes[c].to_pylist() for c in ("id", "reason")), strict=True))
    assert found == {str(row): reason for row, reason in enumerate(reasons) if reason}
    assert curation.notes == tuple(f"{rule}: {reasons.count(rule)}" for rule in SETS[rules])


@pytest.mark.parametrize(("copies", "common"), [(10, False), (11, True)])
def test_a_text_is_common_above_ten(copies, common):
    titles = [{"title": f"  Grey WOOL sweater{' ' * n}"} for n in range(copies)]
    dataset = dataset_of([*titles, {"title": "another one here"}, {"title": ""}])
    met = text_rule("common text", dataset.sources)
    assert met.tolist() == [common] * copies + [False, False]


def test_rules_of_ones_own_in_their_order():
    dataset = dataset_of([{}, {"title": "ok", "bytes": 10}])
    curation = TextRules(rules=("small file", "short text")).curate(dataset, ())
    assert curation.changes["reason"].to_pylist() == ["small file"]
    other = TextRules(rules=("short text", "small file")).curate(dataset, ())
    assert other.changes["reason"].to_pylist() == ["short text"]


def test_missing_columns_are_named():
    with pytest.raises(InputError) as caught:
        TextRules().curate(Dataset(labels=[0, 1]), ())
    assert str(caught.value) == (
        "text-rules reads the sources, which the dataset does not have: collect it, or give a "
        "manifest with the columns title, bytes, width and height"
    )
    dataset = Dataset(labels=[0, 1], sources=pa.table({"title": ["some title", "no"]}))
    with pytest.raises(InputError) as caught:
        TextRules().curate(dataset, ())
    assert str(caught.value) == (
        'the rule "small file" reads the column bytes of the sources, which have title: '
        "leave out the rule"
    )
    assert len(TextRules(rules=("short text",)).curate(dataset, ()).dataset) == 1
    with pytest.raises(ValueError, match="rules"):
        TextRules(rules=("ugly",))
