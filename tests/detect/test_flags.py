import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.findings import Findings
from adc_plugins_detect.curation.flag_counts import count_flags, flag_sentences, sentence

IDS = ["a", "b", "c", "d"]
DATASET = Dataset(labels=[0, 1, 0, 1], ids=IDS)


def findings(flagged, covered=(True, True, True, True)):
    suspicion = np.where(covered, 0.5, np.nan)
    return Findings(ids=IDS, suspicion=suspicion, flagged=flagged, covered=np.array(covered))


ONE = findings([True, True, False, False])
OTHER = findings([True, False, False, False], (True, True, False, False))


def test_counts_verdicts_by_id():
    counts = count_flags(DATASET.take(np.array([3, 0, 2])), (ONE, OTHER), 1)
    assert counts.flagged.tolist() == [0, 2, 0]
    assert counts.judged.tolist() == [1, 2, 1]


def test_says_how_many_flagged():
    counts = count_flags(DATASET, (ONE, OTHER), 1)
    assert flag_sentences(counts, np.array([0, 1, 2])).to_pylist() == [
        "flagged by 2 of 2 detectors",
        "flagged by 1 of 2 detectors",
        "flagged by 0 of 1 detector",
    ]


def test_sentences_of_no_rows():
    assert sentence("seen", np.zeros(0, int), "times").to_pylist() == []


def test_too_few_findings():
    with pytest.raises(InputError) as raised:
        count_flags(DATASET, (ONE,), 2)
    assert str(raised.value) == (
        "min_detectors is 2 but there are findings of 1: lower it, or add detectors"
    )
