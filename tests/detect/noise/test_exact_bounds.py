"""Exact bounds for the wrong labels of a group, and of sums of groups."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from adc_plugins_detect.noise.exact_bounds import (
    LEVELS,
    Counts,
    exact_upper,
    lower_points,
    quantile,
    summed,
    upper_points,
)


@pytest.mark.parametrize(
    ("size", "judged", "wrong", "bound"), [(20_000, 400, 8, 712), (20_000, 400, 0, 147)]
)
def test_worked_numbers(size, judged, wrong, bound):
    assert exact_upper(size, judged, wrong, 0.05) == bound


@pytest.mark.parametrize(("size", "judged"), [(30, 7), (30, 30), (50, 1), (300, 40)])
def test_the_bound_is_the_largest_number_that_is_not_refuted(size, judged):
    for wrong in range(judged + 1):
        bound = exact_upper(size, judged, wrong, 0.025)
        assert hypergeom.cdf(wrong, size, bound, judged) > 0.025
        most = size - judged + wrong
        assert bound == most or hypergeom.cdf(wrong, size, bound + 1, judged) <= 0.025


def test_of_a_group_that_was_looked_at_whole_all_is_known():
    group = Counts(40, 40, 12, 12)
    assert set(upper_points(group)) == set(lower_points(group)) == {12.0}


def test_of_a_group_that_was_not_looked_at_nothing_is_known():
    group = Counts(40, 0, 0, 0)
    assert set(upper_points(group)) == {40.0}
    assert set(lower_points(group)) == {0.0}


def test_slices_end_at_the_bounds_of_their_levels():
    group = Counts(300, 40, 3, 5)
    above, below = upper_points(group), lower_points(group)
    for level in (0.5, 0.9, 0.975):
        place = round(level * LEVELS) - 1
        assert above[place] == exact_upper(300, 40, 5, 1 - level)
        assert below[LEVELS - 1 - place] == 300 - exact_upper(300, 40, 37, 1 - level)
    assert (np.diff(above) >= 0).all()
    assert (np.diff(below) >= 0).all()


def test_sums_err_to_the_safe_side():
    groups = [Counts(300, 40, 3, 3), Counts(900, 50, 2, 2)]
    exact = np.sort((upper_points(groups[0])[:, None] + upper_points(groups[1])).ravel())
    total = summed([upper_points(group) for group in groups], upper=True)
    low = summed([lower_points(group) for group in groups], upper=False)
    assert quantile(total, 0.975, upper=True) >= exact[int(0.975 * exact.size)]
    assert quantile(low, 0.025, upper=False) <= 300 * 3 / 40 + 900 * 2 / 50
