import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.findings import Findings
from adc_plugins_detect.dynamics.threshold_samples import (
    below_threshold,
    combine_runs,
    draw_threshold_samples,
    with_extra_class,
)


def findings(flagged, threshold_samples, suspicion):
    covered = ~np.array(threshold_samples, bool)
    return Findings(
        ids=[str(row) for row in range(len(covered))],
        suspicion=np.where(covered, suspicion, np.nan),
        flagged=np.array(flagged, bool) & covered,
        covered=covered,
    )


def test_two_runs_of_the_worked_example():
    """Of the specification: one row per sample, one column per run."""
    flagged = np.array([[1, 1], [1, 0], [0, 0], [1, 0]])
    threshold_samples = np.array([[0, 0], [0, 0], [0, 0], [0, 1]])
    keep = [False, True, True, False]
    runs = [findings(flagged[:, r], threshold_samples[:, r], [0.9, 0.6, 0.1, 0.8]) for r in (0, 1)]
    combined = combine_runs(runs)
    np.testing.assert_array_equal(~combined.flagged, keep)
    assert combined.covered.all()
    np.testing.assert_allclose(combined.suspicion, [0.9, 0.6, 0.1, 0.8])
    assert combined.noise_rate == 0.5


def test_suspicion_is_the_mean_of_the_runs_that_count():
    first = findings([1, 0, 0], [0, 1, 1], [0.8, 0, 0])
    second = findings([0, 1, 0], [0, 0, 1], [0.2, 0.7, 0])
    combined = combine_runs([first, second])
    np.testing.assert_allclose(combined.suspicion[:2], [0.5, 0.7])
    assert np.isnan(combined.suspicion[2])
    assert combined.flagged.tolist() == [False, True, False]
    assert combined.covered.tolist() == [True, True, False]
    assert combined.noise_rate == 0.5


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(0, 200), st.integers(0, 5))
def test_both_sets_are_as_large_as_a_class_and_disjoint(n_classes, more, seed):
    rows = n_classes + more
    first, second = draw_threshold_samples(rows, n_classes, seed)
    assert first.sum() == second.sum() == rows // n_classes
    assert not (first & second).any()
    again = draw_threshold_samples(rows, n_classes, seed)
    np.testing.assert_array_equal(first, again[0])
    np.testing.assert_array_equal(second, again[1])


def test_another_seed_draws_others():
    assert (draw_threshold_samples(90, 3, 0)[0] != draw_threshold_samples(90, 3, 1)[0]).any()


@pytest.mark.parametrize(("rows", "n_classes"), [(3, 4), (5, 1)])
def test_too_few(rows, n_classes):
    with pytest.raises(InputError) as raised:
        draw_threshold_samples(rows, n_classes)
    assert str(raised.value) == (
        f"{rows} samples of {n_classes} classes: threshold samples need two classes or more, "
        "and a sample for each"
    )


def test_the_extra_class_is_the_last_and_its_name_is_new():
    dataset = Dataset(labels=[0, 1, 1], classes=("a", "threshold samples"), ids=["x", "y", "z"])
    changed = with_extra_class(dataset, np.array([True, False, True]))
    assert changed.labels.tolist() == [2, 1, 2]
    assert changed.classes == ("a", "threshold samples", "threshold samples'")
    assert changed.ids.tolist() == ["x", "y", "z"]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=20),
    st.lists(st.integers(-5, 5), min_size=1, max_size=250),
)
def test_below_the_threshold_more_than_one_in_a_hundred_are_larger(areas, extra):
    areas, extra = np.array(areas, float), np.array(extra, float)
    larger = (extra > areas[:, None]).sum(axis=1)
    np.testing.assert_array_equal(below_threshold(areas, extra), larger * 100 > len(extra))


def test_just_one_in_a_hundred_is_not_more():
    assert below_threshold(np.array([97.0, 98.0]), np.arange(100.0)).tolist() == [True, False]
