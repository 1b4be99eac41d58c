"""What must not be divided between splits."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc_core import Dataset
from adc_core.images import GROUP
from adc_plugins_publish.belonging import connected, groups_of


def dataset_of(creators, pages, copies):
    rows = len(creators)
    return Dataset(
        labels=np.arange(rows) % 2,
        sources=pa.table(
            {"creator": pa.array(creators, pa.string()), "page": pa.array(pages, pa.string())}
        ),
        columns={GROUP: np.array(copies)},
    )


def parts(groups):
    return sorted(sorted(np.flatnonzero(groups == one).tolist()) for one in np.unique(groups))


DATASET = dataset_of(
    ["ann", "ann", None, "", "ben", "cem"],
    ["http://A.example/x?visit=1", "", "http://a.example/x?visit=2", "", "http://b.example/", ""],
    [0, 1, 2, 3, 4, 3],
)


@pytest.mark.parametrize(
    ("together", "expected"),
    [
        ("all", [[0, 1, 2], [3, 5], [4]]),
        ("duplicates", [[0], [1], [2], [3, 5], [4]]),
        ("creator", [[0, 1], [2], [3], [4], [5]]),
        ("page", [[0, 2], [1], [3], [4], [5]]),
    ],
)
def test_whatever_joins_two_samples_keeps_them_together(together, expected):
    assert parts(groups_of(DATASET, together)) == expected


def test_a_stock_site_is_no_creator():
    creators = ["stock"] * 20 + [f"person {n // 2}" for n in range(20)]
    found = groups_of(dataset_of(creators, [""] * 40, range(40)))
    assert len(np.unique(found[:20])) == 20
    assert len(np.unique(found[20:])) == 10


def test_without_any_knowledge_everybody_is_alone():
    assert groups_of(Dataset(labels=[0, 1, 0])).tolist() == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5)), min_size=1, max_size=40))
def test_components_are_those_of_a_walk(rows):
    keys = [np.array(column) for column in zip(*rows, strict=True)]
    found = connected(len(rows), keys)
    parent = list(range(len(rows)))

    def root(one):
        while parent[one] != one:
            one = parent[one]
        return one

    for codes in keys:
        for one in range(len(rows)):
            for other in range(one):
                if codes[one] >= 0 and codes[one] == codes[other]:
                    parent[root(one)] = root(other)
    roots = [root(one) for one in range(len(rows))]
    for one in range(len(rows)):
        for other in range(one):
            assert (found[one] == found[other]) == (roots[one] == roots[other])


def test_long_chains_end():
    rows = 2000
    even, odd = np.arange(rows) // 2, (np.arange(rows) + 1) // 2
    assert (connected(rows, [even, odd]) == 0).all()
