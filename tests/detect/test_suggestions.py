import numpy as np

from adc_core.records.findings import Findings
from adc_plugins_detect.curation.suggestions import most_suggested

LABELS = np.array([0, 0, 0, 0])


def findings(suggested, confidence=None, flagged=(True,) * 4):
    return Findings(
        ids=["a", "b", "c", "d"],
        suspicion=np.full(4, 0.5),
        flagged=np.array(flagged),
        suggested_labels=suggested,
        suggestion_confidence=confidence,
    )


def test_the_label_of_most_detectors_wins():
    best = most_suggested(
        LABELS, [findings([1, 2, 0, -1]), findings([1, 2, 1, -1]), findings([2, 1, -1, -1])]
    )
    assert best.label.tolist() == [1, 2, 1, -1]
    assert best.support.tolist() == [2, 2, 1, 0]
    assert best.confidence.tolist()[:3] == [1, 1, 1]
    assert np.isnan(best.confidence[3])


def test_of_equals_the_surer_then_the_lower_wins():
    first = findings([2, 2, 2, 2], [0.9, 0.5, 0.2, np.nan])
    second = findings([1, 1, 1, 1], [0.1, 0.5, 0.8, 0.3])
    for order in ([first, second], [second, first]):
        best = most_suggested(LABELS, order)
        assert best.label.tolist() == [2, 1, 1, 2]
        np.testing.assert_allclose(best.confidence, [0.9, 0.5, 0.8, 1.0])


def test_only_those_who_flag_a_sample_are_heard():
    deaf = Findings(ids=["a", "b", "c", "d"], suspicion=np.zeros(4), flagged=np.zeros(4, np.bool_))
    best = most_suggested(LABELS, [findings([1] * 4, flagged=(True, False, True, False)), deaf])
    assert best.label.tolist() == [1, -1, 1, -1]
