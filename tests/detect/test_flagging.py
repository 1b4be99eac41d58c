import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.errors import InputError
from adc_plugins_detect.scoring import flag_top_fraction, highest, softsign_to_unit


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), max_size=20), st.integers(-1, 22))
def test_the_highest_are_those_of_a_stable_sort(values, count):
    values = np.array(values)
    expected = np.zeros(len(values), bool)
    expected[np.argsort(-values, kind="stable")[: max(0, count)]] = True
    np.testing.assert_array_equal(highest(values, count), expected)


@pytest.mark.parametrize("percent", range(101))
def test_so_many_percent_of_a_hundred(percent):
    flagged = flag_top_fraction(np.arange(100), percent / 100)
    assert np.flatnonzero(flagged).tolist() == list(range(100 - percent, 100))


def test_the_whole_part_and_of_equals_the_first():
    assert flag_top_fraction(np.zeros(7), 0.5).tolist() == [True] * 3 + [False] * 4


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_what_is_no_share_is_refused(rate):
    with pytest.raises(InputError) as raised:
        flag_top_fraction(np.zeros(3), rate)
    assert str(raised.value) == f"flag_rate is {rate}: expected a share in 0…1"


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2))
def test_squashing_keeps_order_and_sign(scores):
    low, high = softsign_to_unit(np.sort(scores))
    assert 0 <= low <= high <= 1
    assert ((low > 0.5) <= (min(scores) > 0)) and ((high < 0.5) <= (max(scores) < 0))


def test_squashed_numbers():
    np.testing.assert_allclose(softsign_to_unit(np.array([-3.0, 0, 1, 1e9])), [0.125, 0.5, 0.75, 1])
