import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.components.columns import required_neighbors
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Neighbors
from adc_plugins_detect.detectors.neighbor_credibility import (
    NeighborCredibility,
    neighbor_credibility,
)
from adc_plugins_detect.knn.search import nearest_neighbors


def test_worked_example(vectors):
    points, example = vectors["deep_knn"], vectors["neighbour_credibility"]
    findings = neighbor_credibility(
        points["labels"], points["features"], k=example["k"], temperature=example["tau"]
    )
    # The graph's similarities are single precision: half an ulp of 1 over the temperature.
    error = 2.0**-24 / example["tau"]
    np.testing.assert_allclose(1 - findings.suspicion, example["credibility"], atol=error)
    assert np.flatnonzero(findings.flagged).tolist() == [2]


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(2, 30),
    k=st.integers(1, 12),
    temperature=st.sampled_from([1e-4, 0.1, 10.0]),
)
def test_more_agreement_is_less_suspicion_and_all_agreement_none(seed, rows, k, temperature):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, rows)
    shift = random.integers(1, rows, (rows, k))
    graph = Neighbors(
        indices=(np.arange(rows)[:, None] + shift) % rows,
        similarities=-np.sort(-random.random((rows, k)), axis=1),
    )
    options = {"k": k, "temperature": temperature}
    suspicion = neighbor_credibility(labels, graph, **options).suspicion
    same = labels[graph.indices] == labels[:, None]
    assert (suspicion[same.all(axis=1)] == 0).all()
    np.testing.assert_allclose(suspicion[~same.any(axis=1)], 1)
    merged = neighbor_credibility(labels.clip(max=1), graph, **options).suspicion
    assert (merged <= suspicion + 1e-12).all()


def test_hot_neighbors_have_one_vote_each(planted):
    graph = nearest_neighbors(planted.features, 10)
    near = planted.labels[graph.indices] != planted.labels[:, None]
    findings = neighbor_credibility(planted.labels, graph, temperature=1e12)
    np.testing.assert_allclose(findings.suspicion, near.mean(axis=1), atol=1e-9)


def test_ranks_planted_noise_first(planted):
    findings = neighbor_credibility(planted.labels, planted.features, flag_rate=0.2)
    assert findings.flagged.sum() == 400
    assert planted.wrong[findings.flagged].mean() > 0.99
    worse = findings.suspicion[planted.wrong][:, None] > findings.suspicion[~planted.wrong]
    assert worse.mean() > 0.99


def test_order_and_names_do_not_matter(planted):
    random = np.random.default_rng(1)
    order, names = random.permutation(2000), np.array([2, 0, 3, 1])
    findings = neighbor_credibility(planted.labels, planted.features)
    permuted = neighbor_credibility(names[planted.labels[order]], planted.features[order])
    np.testing.assert_allclose(permuted.suspicion, findings.suspicion[order], atol=1e-12)


def test_memory_maps_and_inputs(planted, tmp_path):
    np.save(tmp_path / "features.npy", planted.features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    labels = planted.labels.copy()
    labels.flags.writeable = False
    findings = neighbor_credibility(labels, mapped)
    assert findings == neighbor_credibility(planted.labels, planted.features)


def test_bad_input_is_named(planted):
    graph = nearest_neighbors(planted.features, 5)
    cases = [
        ({"k": 0}, "k: Input should be greater than or equal to 1"),
        ({"temperature": 0.0}, "temperature: Input should be greater than 0"),
        ({}, "the graph holds 5 neighbors a sample but 10 are needed"),
        ({"k": 5, "flag_rate": 2}, "flag_rate: Input should be less than or equal to 1"),
    ]
    for options, message in cases:
        with pytest.raises(InputError) as raised:
            neighbor_credibility(planted.labels, graph, **options)
        assert str(raised.value) == message
    with pytest.raises(InputError) as raised:
        neighbor_credibility(planted.labels[:9], graph, k=5)
    assert str(raised.value) == (
        "neighbors have 2000 rows but there are 9 labels: give one row per sample"
    )


def test_component_reads_the_graph(planted):
    graph = nearest_neighbors(planted.features, 8)
    dataset = Dataset(labels=planted.labels, neighbors=graph)
    detector = NeighborCredibility(k=7, temperature=0.2, flag_rate=0.3)
    assert required_neighbors(detector) == 7
    expected = neighbor_credibility(
        planted.labels, graph, k=7, temperature=0.2, flag_rate=0.3, ids=dataset.ids
    )
    assert detector.detect(dataset) == expected
