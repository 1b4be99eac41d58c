import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.components.columns import required_neighbors
from adc_core.errors import InputError
from adc_core.records.findings import Findings
from adc_core.testing.toys import toy_dataset
from adc_plugins_detect import confident_learning, ensemble, simifeat
from adc_plugins_detect.detectors.confident_learning import ConfidentLearning
from adc_plugins_detect.detectors.ensemble import Ensemble
from adc_plugins_detect.detectors.simifeat import SimiFeat

LABELS = [0, 0, 1, 1]


def findings(suspicion, flagged, **columns):
    rows = len(suspicion)
    return Findings(
        ids=[str(row) for row in range(rows)],
        suspicion=np.array(suspicion),
        flagged=np.array(flagged),
        **columns,
    )


THREE = (
    findings([0.9, 0.1, 0.2, 0.3], [1 > 0, False, False, False], suggested_labels=[1, -1, -1, -1]),
    findings([0.9, 0.8, 0.1, 0.1], [True, True, False, False], suggested_labels=[1, 1, -1, -1]),
    findings([0.2, 0.8, 0.1, 0.9], [False, True, False, True], suggested_labels=[-1, 1, -1, 0]),
)


def test_most_of_three_decide():
    found = ensemble(LABELS, THREE)
    assert found.flagged.tolist() == [True, True, False, False]
    assert found.suggested_labels.tolist() == [1, 1, -1, 0]
    np.testing.assert_allclose(found.suspicion[0], (7 + 7 + 3) / 24)
    assert found.noise_rate == 0.5


@pytest.mark.parametrize(("needed", "flagged"), [(1, [True, True, False, True]), (3, [False] * 4)])
def test_any_or_all_decide(needed, flagged):
    assert ensemble(LABELS, THREE, min_detectors=needed).flagged.tolist() == flagged


def test_who_did_not_judge_does_not_count():
    covered = np.array([True, True, False, True])
    partly = findings([0.9, 0.1, np.nan, 0.5], [True, False, False, False], covered=covered)
    found = ensemble(LABELS, [partly, THREE[1]])
    assert found.covered.all()
    assert found.suspicion[2] == pytest.approx(1 / 4)
    alone = ensemble(LABELS, [partly])
    assert np.isnan(alone.suspicion[2])
    assert alone.covered.tolist() == covered.tolist()
    assert alone.noise_rate == pytest.approx(1 / 3)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_scales_and_the_order_of_detectors_do_not_matter(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, 30)
    found = [findings(random.random(30), random.random(30) < 0.3) for _ in range(3)]
    squeezed = [one.replace(suspicion=one.suspicion**3 / 2) for one in found[::-1]]
    one, other = ensemble(labels, found), ensemble(labels, squeezed)
    np.testing.assert_allclose(one.suspicion, other.suspicion, atol=1e-12)
    np.testing.assert_array_equal(one.flagged, other.flagged)


def test_the_component_asks_its_detectors():
    dataset = toy_dataset()
    detector = Ensemble(detectors=(SimiFeat(), ConfidentLearning()))
    assert set(detector.required_columns) == {"neighbors", "probabilities"}
    assert required_neighbors(detector) == 9
    expected = ensemble(
        dataset.labels,
        [
            simifeat(dataset.labels, dataset.neighbors, n_classes=3, ids=dataset.ids),
            confident_learning(dataset.labels, dataset.probabilities.values, ids=dataset.ids),
        ],
    )
    assert detector.detect(dataset) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ensemble(LABELS, []),
            "an ensemble needs the findings of at least one detector: give some",
        ),
        (
            lambda: ensemble(LABELS[:2], THREE),
            "findings have 4 rows but there are 2 labels: give one row per sample",
        ),
        (
            lambda: ensemble(LABELS, THREE, min_detectors=4),
            "min_detectors is 4 but there are findings of 3: choose 1…3",
        ),
        (
            lambda: ensemble(LABELS, [THREE[0], THREE[1].replace(ids=["x", "1", "2", "3"])]),
            "the findings are of different samples: align them with for_ids",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError) as raised:
        call()
    assert str(raised.value) == message
