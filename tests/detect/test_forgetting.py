from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_detect.detectors.forgetting import Forgetting, count_forgetting, forgetting


def test_worked_example(vectors):
    example = vectors["forgetting"]
    counts = count_forgetting(np.array(example["correct"]))
    assert counts.events.tolist() == example["events"]
    assert counts.never_learned.tolist() == [bool(one) for one in example["never_learned"]]
    findings = forgetting(np.zeros(5, int), example["correct"], min_events=2)
    np.testing.assert_allclose(4 * findings.suspicion, example["toneva_score"])
    assert findings.flagged.tolist() == [False, True, False, True, False]


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 30), E=st.integers(1, 9))
def test_the_same_as_counting_one_by_one(seed, rows, E):
    correct = np.random.default_rng(seed).integers(0, 2, (rows, E))
    counts = count_forgetting(correct)
    expected = [sum(a > b for a, b in pairwise(row)) for row in correct.tolist()]
    assert counts.events.tolist() == expected
    assert counts.never_learned.tolist() == [not any(row) for row in correct.tolist()]
    assert (2 * counts.events <= E).all()
    findings = forgetting(np.zeros(rows, int), correct.astype(bool))
    assert findings == forgetting(np.zeros(rows, int), correct.astype(np.float32))
    assert (findings.suspicion == 1).tolist() == counts.never_learned.tolist()


def test_finds_planted_noise(trained):
    findings = forgetting(trained.labels, trained.dynamics)
    assert trained.wrong[findings.flagged].mean() > 0.99
    assert findings.flagged[trained.wrong].mean() > 0.9


def test_order_memory_maps_and_inputs(trained, tmp_path):
    np.save(tmp_path / "correct.npy", trained.dynamics.correct)
    mapped = np.load(tmp_path / "correct.npy", mmap_mode="r")
    findings = forgetting(trained.labels, mapped)
    assert findings == forgetting(trained.labels, trained.dynamics)
    order = np.random.default_rng(1).permutation(1000)
    permuted = forgetting(trained.labels[order], trained.dynamics.correct[order])
    np.testing.assert_array_equal(permuted.suspicion, findings.suspicion[order])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])


def test_bad_input_is_named():
    for min_events, correct, message in [
        (0, [[0]], "min_events: Input should be greater than or equal to 1"),
        (1, [[0.5]], "correct: row 0 holds another number than 0 and 1"),
    ]:
        with pytest.raises(InputError) as raised:
            forgetting([0], correct, min_events=min_events)
        assert str(raised.value) == message


def test_component_reads_dynamics(trained):
    dataset = Dataset(labels=trained.labels, dynamics=trained.dynamics)
    expected = forgetting(trained.labels, trained.dynamics, min_events=1)
    assert Forgetting(min_events=1).detect(dataset) == expected
