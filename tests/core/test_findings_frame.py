"""Findings as a data frame."""

import sys

import numpy as np
import pandas as pd
import pytest

from adc_core import Findings, InputError
from adc_core.testing.toys import toy_findings


def test_a_row_per_sample_under_its_id():
    findings = toy_findings().replace(ids=[f"id {row}" for row in range(len(toy_findings().ids))])
    frame = findings.to_pandas()
    assert frame.index.name == "id"
    assert frame.index.tolist() == findings.ids.tolist()
    assert frame.columns.tolist() == [
        "suspicion",
        "flagged",
        "suggested_label",
        "suggestion_confidence",
        "covered",
    ]
    np.testing.assert_array_equal(frame["suspicion"], findings.suspicion)
    np.testing.assert_array_equal(frame["suggested_label"], findings.suggested_labels)
    assert frame[frame.flagged].index.tolist() == findings.ids[findings.flagged].tolist()


def test_columns_are_there_without_suggestions():
    frame = Findings(ids=["x", "y"], suspicion=[0.1, 0.9], flagged=[False, True]).to_pandas()
    expected = pd.DataFrame(
        {
            "suspicion": [0.1, 0.9],
            "flagged": [False, True],
            "suggested_label": [-1, -1],
            "suggestion_confidence": [np.nan, np.nan],
            "covered": [True, True],
        },
        index=pd.Index(["x", "y"], name="id"),
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_row_numbers_join_the_frame_that_the_samples_came_from():
    data = pd.DataFrame({"label": ["cat", "dog", "cat"]})
    findings = Findings(
        ids=["0", "1", "2"],
        suspicion=[0.1, 0.8, 0.3],
        flagged=[False, True, False],
        suggested_labels=[-1, 0, -1],
        classes=("cat", "dog"),
    )
    joined = data.join(findings.to_pandas())
    assert joined["suspicion"].tolist() == [0.1, 0.8, 0.3]
    assert joined["suggested_label"].isna().tolist() == [True, False, True]
    assert joined["suggested_label"][1] == "cat"


def test_ids_that_are_numbers_are_numbers_in_a_frame_again():
    """As pandas reads them from a file, and as an index that is given as ids has them."""
    findings = Findings(ids=["10", "0"], suspicion=[0.1, 0.9], flagged=[False, True])
    assert findings.to_pandas().index.tolist() == [10, 0]


@pytest.mark.parametrize("ids", [["01", "1"], ["1", "a"], ["1.0", "2"], ["9" * 19, "1"]])
def test_other_ids_stay_texts(ids):
    findings = Findings(ids=ids, suspicion=[0.1, 0.9], flagged=[False, True])
    assert findings.to_pandas().index.tolist() == ids


def test_the_frame_is_its_owners():
    findings = toy_findings()
    before = findings.suspicion.copy()
    frame = findings.to_pandas()
    frame["suspicion"] *= 2
    frame.loc[frame.index[0], "flagged"] = not frame["flagged"].iloc[0]
    np.testing.assert_array_equal(findings.suspicion, before)


def test_without_pandas_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError) as caught:
        toy_findings().to_pandas()
    assert str(caught.value) == "a data frame needs pandas: pip install pandas"


def test_what_is_suggested_is_a_class():
    with pytest.raises(InputError) as caught:
        Findings(
            ids=["x"], suspicion=[0.1], flagged=[True], suggested_labels=[2], classes=("a", "b")
        )
    assert str(caught.value) == "suggested_labels: row 0 is 2, expected -1…1"
