import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.findings import Findings
from adc_plugins_detect.curators.drop import Drop

IDS = ["a", "b", "c", "d"]
DATASET = Dataset(labels=[0, 1, 0, 1], ids=IDS)


def findings(flagged):
    return Findings(ids=IDS, suspicion=np.full(4, 0.5), flagged=np.array(flagged))


BOTH = (findings([True, False, True, False]), findings([True, False, False, False]))


def test_drops_what_any_detector_flags():
    curation = Drop().curate(DATASET, BOTH)
    assert curation.dataset.ids.tolist() == ["b", "d"]
    assert curation.changes.to_pylist() == [
        {
            "id": "a",
            "action": "drop",
            "old_label": 0,
            "new_label": -1,
            "reason": "flagged by 2 of 2 detectors",
        },
        {
            "id": "c",
            "action": "drop",
            "old_label": 0,
            "new_label": -1,
            "reason": "flagged by 1 of 2 detectors",
        },
    ]


def test_drops_what_enough_detectors_flag():
    assert Drop(min_detectors=2).curate(DATASET, BOTH).dataset.ids.tolist() == ["b", "c", "d"]


def test_nothing_flagged_nothing_dropped():
    curation = Drop().curate(DATASET, (findings([False] * 4),))
    assert curation.dataset == DATASET
    assert curation.changes.num_rows == 0


def test_counts_of_inclusion_and_exclusion():
    random = np.random.default_rng(0)
    dataset = Dataset(labels=np.arange(200) % 3)
    one, other = (
        Findings(ids=dataset.ids, suspicion=np.zeros(200), flagged=random.random(200) < 0.3)
        for _ in range(2)
    )
    either = Drop().curate(dataset, (one, other)).count("drop")
    both = Drop(min_detectors=2).curate(dataset, (one, other)).count("drop")
    assert either == one.flagged.sum() + other.flagged.sum() - both


def test_bad_input_is_named():
    with pytest.raises(InputError) as raised:
        Drop().curate(DATASET, ())
    assert str(raised.value) == (
        "min_detectors is 1 but there are findings of 0: lower it, or add detectors"
    )
    with pytest.raises(ValueError, match=r"^every sample would be dropped"):
        Drop().curate(DATASET, (findings([True] * 4),))
