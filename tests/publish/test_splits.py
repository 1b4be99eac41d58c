import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc_core.errors import InputError
from adc_plugins_publish.splits import split_by_group

SHARES = {"test": 0.2, "validation": 0.1}


def test_every_label_has_the_same_shares():
    labels = np.repeat([0, 1, 2], [100, 500, 1000])
    splits = split_by_group(labels, np.arange(1600), SHARES, 0)
    for label, size in enumerate((100, 500, 1000)):
        of_label = splits[labels == label]
        for split, share in (SHARES | {"train": 0.7}).items():
            assert (of_label == split).sum() == pytest.approx(share * size, abs=1)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), min_size=60), st.integers(0, 9))
def test_groups_stay_together(samples, seed):
    labels, groups = (np.array(column) for column in zip(*samples, strict=True))
    try:
        splits = split_by_group(labels, groups, {"test": 0.3}, seed)
    except InputError:
        return
    for group in np.unique(groups):
        assert len(set(splits[groups == group].tolist())) == 1


def test_groups_of_texts_of_many_sizes():
    rng = np.random.default_rng(0)
    groups = rng.geometric(0.05, 4000).astype(str)
    splits = split_by_group(rng.integers(0, 4, 4000), groups, SHARES, 0)
    assert (splits == "test").mean() == pytest.approx(0.2, abs=0.03)


def test_the_seed_decides():
    labels = np.zeros(100, np.int64)
    first = split_by_group(labels, np.arange(100), SHARES, 0)
    np.testing.assert_array_equal(first, split_by_group(labels, np.arange(100), SHARES, 0))
    assert (first != split_by_group(labels, np.arange(100), SHARES, 1)).any()


NO_SHARES = "splits are shares above 0 that leave something to train, such as test=0.1"


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (
            {"test": 1.0},
            "splits are shares above 0 that leave something to train, such as test=0.1",
        ),
        ({"test": 0}, NO_SHARES),
        (
            {"train": 0.5},
            "splits are shares above 0 that leave something to train, such as test=0.1",
        ),
        ({"test": 0.01}, "9 samples are too few for a split test: give more"),
    ],
)
def test_shares_that_cannot_be(shares, message):
    with pytest.raises(InputError) as error:
        split_by_group(np.zeros(9, np.int64), np.arange(9), shares, 0)
    assert str(error.value) == message
