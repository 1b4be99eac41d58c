import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from adc_core.errors import InputError
from adc_plugins_detect.enrichers.neighbors import NearestNeighbors
from adc_plugins_detect.knn import search as module
from adc_plugins_detect.knn.search import nearest_neighbors

pytest.importorskip("faiss", reason="the index is an extra of the package")


@pytest.fixture(scope="module")
def features():
    """Like the features of a network: few directions of their own, and noise."""
    random = np.random.default_rng(0)
    hidden = random.normal(size=(3000, 12)) + 2 * random.normal(size=(3000 // 100, 12)).repeat(
        100, axis=0
    )
    mixed = hidden @ random.normal(size=(12, 32)) + random.normal(size=(3000, 32)) / 2
    return mixed.astype(np.float32)


def test_finds_nearly_what_the_exact_search_finds(features):
    found = nearest_neighbors(features, 10, method="index")
    exact = nearest_neighbors(features, 10, method="exact")
    share = np.mean(
        [len(np.intersect1d(a, b)) / 10 for a, b in zip(found.indices, exact.indices, strict=True)]
    )
    assert share >= 0.98
    assert found.recall == pytest.approx(share, abs=0.01)
    assert exact.recall == 1
    both = found.indices == exact.indices
    np.testing.assert_array_equal(found.similarities[both], exact.similarities[both])


def test_all_rows_but_one_can_be_asked_for(features):
    few = features[:40]
    found = nearest_neighbors(few, 39, method="index")
    exact = nearest_neighbors(few, 39, method="exact")
    np.testing.assert_array_equal(found.indices, exact.indices)


def test_copies_are_neighbors_of_each_other(features):
    twice = np.concatenate([features[:500], features[:500]])
    found = nearest_neighbors(twice, 5, method="index")
    copies = found.indices[:, 0] == (np.arange(1000) + 500) % 1000
    assert copies.mean() > 0.97
    assert (found.indices != np.arange(1000)[:, None]).all()


def test_any_number_of_threads_finds_the_same(features):
    with threadpool_limits(1):
        one = nearest_neighbors(features, 10, method="index")
    assert nearest_neighbors(features, 10, method="index") == one


def test_is_chosen_for_many_rows(features, monkeypatch):
    monkeypatch.setattr(module, "EXACT_UP_TO", 2999)
    assert nearest_neighbors(features, 10) == nearest_neighbors(features, 10, method="index")
    assert NearestNeighbors().method == "auto"


def test_a_row_without_direction_is_named(features):
    rows = features.copy()
    rows[7] = 0
    with pytest.raises(InputError) as error:
        nearest_neighbors(rows, 3, method="index")
    assert str(error.value) == (
        "features: row 7 has length 0, so it has no direction: "
        "leave the sample out or encode it again"
    )


def test_without_faiss_the_extra_is_named(features, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(InputError) as error:
        nearest_neighbors(features, 3, method="index")
    assert str(error.value) == (
        "the neighbors of 3000 samples are searched with an index: "
        "pip install 'adc-plugins-detect[index]', or ask for method exact"
    )


def test_cells_change_little(features, monkeypatch):
    """Features of separate clusters, in which a single graph would lose its way."""
    monkeypatch.setattr("adc_plugins_detect.knn.index.CELL", 250)
    clustered = features + 40 * np.eye(32, dtype=np.float32)[np.arange(3000) % 10]
    found = nearest_neighbors(clustered, 10, method="index")
    exact = nearest_neighbors(clustered, 10, method="exact")
    share = np.mean(
        [len(np.intersect1d(a, b)) / 10 for a, b in zip(found.indices, exact.indices, strict=True)]
    )
    assert share >= 0.975
    assert found.recall == pytest.approx(share, abs=0.01)
    with threadpool_limits(1):
        assert nearest_neighbors(clustered, 10, method="index") == found
