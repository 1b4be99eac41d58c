"""What several detectors say together, and the table of it."""

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from adc_core import Dataset, Findings, WorkError
from adc_core.records.run import Run
from adc_core.reporting.detector_summaries import (
    most_suspicious_first,
    suggested_by_most,
    suggestions,
    summarize_detectors,
)
from adc_core.reporting.findings_table import findings_table, write_findings

IDS = ["a", "b", "c", "d"]
SURE = Findings(
    ids=IDS,
    suspicion=[0.1, 0.2, 0.9, 0.3],
    flagged=[False, False, True, False],
    suggested_labels=[-1, 1, 0, -1],
    suggestion_confidence=[np.nan, 0.4, 0.8, np.nan],
    noise_rate=0.25,
)
PARTIAL = Findings(
    ids=IDS,
    suspicion=[np.nan, 0.99, 0.98, np.nan],
    flagged=[False, True, False, False],
    covered=[False, True, True, False],
)
RUN = Run(
    collected=Dataset(labels=[0, 0, 1, 1], ids=IDS, classes=("cat", "dog")),
    findings={"sure": SURE, "partial": PARTIAL},
)


def test_a_verdict_counts_what_was_judged():
    sure, partial = summarize_detectors(RUN.findings)
    assert (sure.detector, sure.flagged, sure.share, sure.noise_rate) == ("sure", 1, 0.25, 0.25)
    assert sure.suggested == 1  # the other suggestion is for a label that is not flagged
    assert (partial.flagged, partial.share, partial.noise_rate, partial.suggested) == (
        1,
        0.5,
        None,
        0,
    )


def test_flagged_samples_come_first_then_the_order_of_suspicion():
    assert most_suspicious_first([SURE]).tolist() == [2, 3, 1, 0]
    # c: (3/4 + 0) / 2 and b: (1/4 + 1/2) / 2 are equal; d: 2/4 is more suspect but not flagged
    assert most_suspicious_first([SURE, PARTIAL]).tolist() == [1, 2, 3, 0]


def test_scales_do_not_matter():
    squeezed = SURE.replace(suspicion=SURE.suspicion / 1000)
    assert np.array_equal(
        most_suspicious_first([SURE, PARTIAL]), most_suspicious_first([squeezed, PARTIAL])
    )


def test_suggestions_are_names_or_nothing():
    assert suggestions(SURE, ("cat", "dog")).to_pylist() == [None, "dog", "cat", None]
    assert suggestions(PARTIAL, ("cat", "dog")).to_pylist() == [None] * 4


def test_the_table_keeps_the_order_of_the_dataset():
    table = findings_table(RUN)
    assert table.to_pydict() == {
        "id": IDS,
        "label": [0, 0, 1, 1],
        "class": ["cat", "cat", "dog", "dog"],
        "rank": [4, 1, 2, 3],
        "suspicion": [0.125, 0.5625, 0.5625, 0.625],
        "flagged": [False, True, True, False],
        "suggested_label": [None, "dog", "cat", None],
        "sure.suspicion": [0.1, 0.2, 0.9, 0.3],
        "sure.flagged": [False, False, True, False],
        "sure.suggested_label": [None, "dog", "cat", None],
        "sure.suggestion_confidence": [None, 0.4, 0.8, None],
        "partial.suspicion": [None, 0.99, 0.98, None],
        "partial.flagged": [False, True, False, False],
        "partial.suggested_label": [None] * 4,
        "partial.suggestion_confidence": [None] * 4,
    }


def test_one_form_replaces_the_other(tmp_path):
    assert pq.read_table(write_findings(RUN, tmp_path)) == findings_table(RUN)
    written = write_findings(RUN, tmp_path, csv=True)
    assert [path.name for path in tmp_path.iterdir()] == ["findings.csv"]
    again = pyarrow.csv.read_csv(written)
    assert again["rank"].to_pylist() == [4, 1, 2, 3]
    assert again["partial.suspicion"].to_pylist() == [None, 0.99, 0.98, None]


def test_the_table_is_written_whole_or_not_at_all(tmp_path):
    (tmp_path / "findings.parquet" / "in the way").mkdir(parents=True)
    with pytest.raises(WorkError, match=r"findings\.parquet.*: fix it and run again"):
        write_findings(RUN, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["findings.parquet"]


def test_the_only_detector_s_suspicion_is_the_table_s():
    table = findings_table(RUN.replace(findings={"partial": PARTIAL}))
    assert table["suspicion"].to_pylist() == [None, 0.99, 0.98, None]
    assert table["suggested_label"].to_pylist() == [None] * 4


def suggesting(labels, flagged=(False,) * 4):
    return Findings(
        ids=IDS, suspicion=np.full(4, 0.5), flagged=np.array(flagged), suggested_labels=labels
    )


def test_what_most_detectors_suggest():
    """Sample by sample: two against one, one against none, a tie, and nobody."""
    one = suggesting([0, -1, 2, -1])
    two = suggesting([1, -1, 1, -1])
    three = suggesting([1, 2, -1, -1])
    wanted = suggested_by_most([one, two, three, PARTIAL], ("cat", "dog", "fox"))
    assert wanted.to_pylist() == ["dog", "fox", "fox", None]


def test_who_flags_a_sample_outvotes_all_who_do_not():
    flagging = suggesting([0, 0, 0, 0], (True, True, False, False))
    silent = [suggesting([1, -1, 1, 0]) for _ in range(3)]
    for order in ([flagging, *silent], [*silent, flagging]):
        wanted = suggested_by_most(order, ("cat", "dog"))
        assert wanted.to_pylist() == ["cat", "cat", "dog", "cat"]
    assert suggested_by_most([PARTIAL], ("cat",)).to_pylist() == [None] * 4
