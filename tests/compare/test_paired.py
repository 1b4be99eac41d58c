"""Which rows are as good as the best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_rel

from adc_plugins_compare import tied_with_best

RNG = np.random.default_rng(0)


def test_two_rows_are_told_apart_as_a_paired_t_test_does():
    for _ in range(200):
        values = RNG.normal(size=(2, 5)) + RNG.normal(size=5) + [[0], [0.8]]
        best, tied, tested = tied_with_best(values)
        assert best == values.mean(axis=1).argmax()
        assert tied[1 - best] == (ttest_rel(*values).pvalue >= 0.05)
        assert tested and not tied[best]


def test_differences_count_not_spread():
    """What all seeds share does not hide a small difference."""
    shared = np.array([0.0, 10.0, 20.0, 30.0])
    best, tied, _ = tied_with_best([shared, shared - [1.0, 1.1, 0.9, 1.0]])
    assert best == 0
    assert not tied.any()


@pytest.mark.parametrize(
    ("chances", "tied"),
    [
        ([0.014, 0.020, 0.040], [False, False, False]),  # 3·.014, 2·.020, 1·.040: all below .05
        ([0.014, 0.030, 0.040], [False, True, True]),  # 2·.030 is not, so the last is not asked
        ([0.040, 0.010, 0.030], [True, False, True]),
        ([0.017, 0.001, 0.001], [False, False, False]),
        ([0.020, 0.020, 0.020], [True, True, True]),
    ],
)
def test_many_rows_are_tested_by_holm(chances, tied):
    spread = np.array([-1.0, 1.0, -1.0, 1.0])  # of the differences; its standard error is 1/√3
    rows = [-student.isf(chance / 2, 3) / np.sqrt(3) + spread for chance in chances]
    best, found, _ = tied_with_best([np.zeros(4), *rows])
    assert [ttest_rel(row, np.zeros(4)).pvalue for row in rows] == pytest.approx(chances)
    assert best == 0
    assert found.tolist() == [False, *tied]


def test_two_seeds_tell_nothing():
    best, tied, tested = tied_with_best([[1.0, 1.0], [0.0, 0.0]])
    assert (best, tied.tolist(), tested) == (0, [False, False], False)


def test_equal_means_are_tied_without_a_test():
    assert tied_with_best([[0.2], [0.3], [0.3]])[1].tolist() == [False, False, True]


def test_equal_rows_are_tied_and_constant_differences_are_not():
    _, tied, _ = tied_with_best([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.5, 1.5, 2.5]])
    assert tied.tolist() == [False, True, False]


def test_lower_may_be_better():
    assert tied_with_best([[1.0] * 3, [2.0] * 3], "lower")[0] == 0


def test_missing_runs_are_left_out_of_their_pairs():
    nan = np.nan
    best, tied, tested = tied_with_best([[nan, 2.0, 3.0, 4.0], [9.0, 2.1, 2.9, 4.0]])
    assert best == 1  # by the mean of what is there
    assert tied.tolist() == [True, False]
    assert tested
    assert tied_with_best([[nan] * 3] * 2)[0] is None
    assert tied_with_best([[nan] * 3, [1.0] * 3])[0] == 1


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(3, 6))
def test_the_order_of_rows_and_seeds_does_not_matter(seed, rows, seeds):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, seeds))
    order, turn = rng.permutation(rows), rng.permutation(seeds)
    best, tied, _ = tied_with_best(values)
    other, others, _ = tied_with_best(values[order][:, turn])
    assert order[other] == best
    assert tied[order].tolist() == others.tolist()
