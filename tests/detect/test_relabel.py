import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.findings import Findings
from adc_plugins_detect.curators.relabel import Relabel

IDS = ["a", "b", "c", "d"]
DATASET = Dataset(labels=[0, 1, 0, 1], ids=IDS, classes=("cat", "dog", "fox"))


def findings(flagged, suggested, confidence):
    return Findings(
        ids=IDS,
        suspicion=np.full(4, 0.5),
        flagged=np.array(flagged),
        suggested_labels=suggested,
        suggestion_confidence=confidence,
    )


ONE = findings([True, True, True, False], [1, 2, 2, -1], [0.9, 0.4, 0.8, np.nan])
OTHER = findings([True, True, False, False], [1, 0, -1, -1], [0.7, 0.3, np.nan, np.nan])


def changes(curation):
    return [tuple(row.values()) for row in curation.changes.to_pylist()]


def test_relabels_what_one_detector_is_sure_of():
    curation = Relabel().curate(DATASET, (ONE, OTHER))
    assert changes(curation) == [
        ("a", "relabel", 0, 1, "suggested by 2 of 2 detectors: dog (confidence 0.80)"),
        ("c", "relabel", 0, 2, "suggested by 1 of 2 detectors: fox (confidence 0.80)"),
    ]
    assert curation.dataset.labels.tolist() == [1, 1, 2, 1]


def test_relabels_what_two_detectors_agree_on():
    curation = Relabel(min_detectors=2, otherwise="drop").curate(DATASET, (ONE, OTHER))
    assert changes(curation) == [
        ("a", "relabel", 0, 1, "suggested by 2 of 2 detectors: dog (confidence 0.80)"),
        ("b", "drop", 1, -1, "flagged by 2 of 2 detectors"),
    ]


def test_the_confidence_is_a_strict_bound():
    assert Relabel(min_confidence=0.8).curate(DATASET, (ONE,)).dataset.labels.tolist() == [
        1,
        1,
        0,
        1,
    ]


def test_too_few_findings():
    with pytest.raises(InputError) as raised:
        Relabel(min_detectors=3).curate(DATASET, (ONE, OTHER))
    assert str(raised.value) == (
        "min_detectors is 3 but there are findings of 2: lower it, or add detectors"
    )
