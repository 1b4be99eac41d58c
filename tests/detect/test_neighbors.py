import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from adc_core.components.context import working_in
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_detect.enrichers.neighbors import NearestNeighbors
from adc_plugins_detect.knn import exact as module
from adc_plugins_detect.knn.search import nearest_neighbors


def plain_search(features, k):
    """Every pair in double precision, rounded once; of equals the lower row first."""
    x = np.asarray(features, np.float64)
    norms = np.linalg.norm(x, axis=1)
    cosines = np.array([[a @ b for b in x] for a in x]) / norms[:, None] / norms
    cosines = cosines.astype(np.float32)
    np.fill_diagonal(cosines, -np.inf)
    indices = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return indices, np.take_along_axis(cosines, indices, axis=1)


def same(graph, indices, similarities):
    np.testing.assert_array_equal(graph.indices, indices)
    np.testing.assert_allclose(graph.similarities, similarities, rtol=0, atol=6e-8)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 32)


@pytest.mark.parametrize("k", [1, 5, 20, 119])
@pytest.mark.usefixtures("small_blocks")
def test_finds_what_a_plain_search_finds(k):
    features = np.random.default_rng(0).normal(size=(120, 7)).astype(np.float32)
    same(nearest_neighbors(features, k), *plain_search(features, k))


def test_worked_example(vectors):
    example = vectors["simifeat"]
    graph = nearest_neighbors(example["features"], 3)
    np.testing.assert_array_equal(graph.indices, np.array(example["neighbours"])[:, 1:])
    distances = np.array(example["distances"])[:, 1:]
    np.testing.assert_allclose(1 - graph.similarities, distances, rtol=0, atol=6e-8)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(3, 90), k=st.integers(1, 8))
def test_copies_and_ties_come_in_the_order_of_rows(seed, rows, k):
    random = np.random.default_rng(seed)
    features = random.integers(1, 3, (rows, 2)) * 2.0 ** random.integers(-3, 4, (rows, 1))
    k = min(k, rows - 1)
    block, module.BLOCK = module.BLOCK, 16
    try:
        same(nearest_neighbors(features, k), *plain_search(features, k))
    finally:
        module.BLOCK = block


@pytest.mark.usefixtures("small_blocks")
def test_identical_rows_are_each_others_first_neighbors_by_row():
    graph = nearest_neighbors(np.ones((100, 4)), 3)
    assert graph.indices[:5].tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2]]
    assert graph.indices[-1].tolist() == [0, 1, 2]
    assert (graph.similarities == 1).all()


def test_lengths_do_not_matter(planted):
    random = np.random.default_rng(1)
    scaled = planted.features * 2.0 ** random.integers(-60, 60, (2000, 1))
    assert nearest_neighbors(scaled, 9) == nearest_neighbors(planted.features, 9)


def test_the_whole_range_of_single_precision(planted):
    features = planted.features.astype(np.float32)
    graph = nearest_neighbors(features, 5)
    assert nearest_neighbors(features * np.float32(2.0**120), 5) == graph
    assert nearest_neighbors(features * np.float32(2.0**-60), 5) == graph


def test_the_number_of_threads_changes_nothing():
    features = np.random.default_rng(0).normal(size=(5000, 32)).astype(np.float32)
    graph = nearest_neighbors(features, 10)
    with threadpool_limits(1):
        assert nearest_neighbors(features, 10) == graph


def test_other_order_same_neighbors(planted):
    order = np.random.default_rng(2).permutation(2000)
    graph = nearest_neighbors(planted.features, 6)
    permuted = nearest_neighbors(planted.features[order], 6)
    np.testing.assert_array_equal(order[permuted.indices], graph.indices[order])
    np.testing.assert_array_equal(permuted.similarities, graph.similarities[order])


def test_memory_maps_and_read_only_arrays(planted, tmp_path):
    features = planted.features.astype(np.float32)
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    assert nearest_neighbors(mapped, 4) == nearest_neighbors(features, 4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_types(dtype):
    features = np.random.default_rng(3).normal(size=(60, 5)).astype(dtype)
    same(nearest_neighbors(features, 4), *plain_search(features, 4))


@pytest.mark.parametrize(
    ("features", "k", "message"),
    [
        (
            np.eye(5),
            5,
            "5 neighbors of each of 5 samples: choose 1…4, or give more samples",
        ),
        (np.eye(5), 0, "k: Input should be greater than or equal to 1"),
        (
            np.diag([1.0, 1.0, 0.0]),
            1,
            "features: row 2 has length 0, so it has no direction: "
            "leave the sample out or encode it again",
        ),
        (
            np.diag([1.0, 1e200, 1.0]),
            1,
            "features: row 1 has length inf, so it has no direction: "
            "leave the sample out or encode it again",
        ),
        (np.array([[1.0], [np.nan]]), 1, "features: row 1 is not finite (NaN or infinity)"),
    ],
)
def test_bad_input_is_named(features, k, message):
    with pytest.raises(InputError) as raised:
        nearest_neighbors(features, k)
    assert str(raised.value) == message


def test_component_adds_the_graph_and_tells_of_progress(planted, tmp_path):
    dataset = Dataset(labels=planted.labels, features=planted.features.astype(np.float32))
    heard = []
    with working_in(tmp_path, lambda *progress: heard.append(progress)):
        enriched = NearestNeighbors(k=7).enrich(dataset)
    assert enriched.neighbors == nearest_neighbors(dataset.features, 7)
    assert heard == [(1, 1, "block")]
    assert dataset.neighbors is None
