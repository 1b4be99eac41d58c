import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core import run_pipeline, save_dataset
from adc_core.components.columns import required_neighbors
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Neighbors
from adc_core.runs.pipeline import Pipeline
from adc_plugins_detect.detectors.deep_knn import (
    DeepKnn,
    conformal_p_values,
    count_equal_votes,
    deep_knn,
)
from adc_plugins_detect.knn.search import nearest_neighbors


def graph_of(indices):
    return Neighbors(indices=indices, similarities=np.zeros(np.shape(indices)))


def test_worked_example(vectors):
    example = vectors["deep_knn"]
    findings = deep_knn(example["labels"], graph_of(example["neighbours"]), k=example["k"])
    np.testing.assert_allclose(findings.suspicion, example["score"], atol=1e-9)
    assert np.flatnonzero(findings.flagged).tolist() == example["flags"]
    expected = np.where(findings.flagged, np.argmax(example["counts"], axis=1), -1)
    np.testing.assert_array_equal(findings.suggested_labels, expected)
    share = np.max(example["counts"], axis=1) / 3
    expected = np.where(findings.flagged, share, np.nan)
    np.testing.assert_allclose(findings.suggestion_confidence, expected, atol=1e-9)
    assert findings.noise_rate == 0.3


def test_a_tie_with_the_given_label_is_clean_and_of_other_equals_the_lowest_wins():
    findings = deep_knn([0, 0, 1, 1, 2], graph_of([[1, 2], [0, 3], [0, 3], [4, 0], [2, 3]]), k=2)
    assert findings.flagged.tolist() == [False, False, False, True, True]
    assert findings.suggested_labels.tolist() == [-1, -1, -1, 0, 1]


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 30),
    k=st.integers(1, 12),
    K=st.integers(2, 9),
)
def test_the_same_as_a_table_of_votes_per_class(seed, rows, k, K):
    random = np.random.default_rng(seed)
    labels, indices = random.integers(0, K, rows), random.integers(0, rows, (rows, k))
    table = np.zeros((rows, K), np.int64)
    np.add.at(table, (np.arange(rows)[:, None], labels[indices]), 1)
    agreeing, winner, most = count_equal_votes(labels, indices)
    np.testing.assert_array_equal(agreeing, table[np.arange(rows), labels])
    np.testing.assert_array_equal(winner, table.argmax(axis=1))
    np.testing.assert_array_equal(most, table.max(axis=1))


def test_finds_planted_noise(planted):
    findings = deep_knn(planted.labels, planted.features)
    f1 = 2 * (planted.wrong & findings.flagged).sum()
    assert f1 / (planted.wrong.sum() + findings.flagged.sum()) > 0.99
    right = planted.wrong & findings.flagged
    assert (findings.suggested_labels[right] == planted.truth[right]).all()
    assert not deep_knn(planted.truth, planted.features).flagged.any()


def test_the_default_k_suits_the_classes(planted):
    graph = nearest_neighbors(planted.features, 100)
    assert deep_knn(planted.labels, graph) == deep_knn(planted.labels, graph, k=100)
    fewer = deep_knn(planted.labels, graph, n_classes=10)
    assert fewer == deep_knn(planted.labels, graph, k=40)
    one = deep_knn(planted.labels, graph, n_classes=2000)
    assert one == deep_knn(planted.labels, graph, k=1)


def test_order_and_names_do_not_matter(planted):
    random = np.random.default_rng(1)
    order, names = random.permutation(2000), np.array([2, 0, 3, 1])
    findings = deep_knn(planted.labels, planted.features)
    permuted = deep_knn(names[planted.labels[order]], planted.features[order])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])
    np.testing.assert_array_equal(permuted.suspicion, findings.suspicion[order])
    suggested = findings.suggested_labels[order]
    expected = np.where(suggested < 0, -1, names[suggested])
    np.testing.assert_array_equal(permuted.suggested_labels, expected)


def test_memory_maps_and_inputs(planted, tmp_path):
    np.save(tmp_path / "features.npy", planted.features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    labels = planted.labels.copy()
    labels.flags.writeable = False
    assert deep_knn(labels, mapped, k=9) == deep_knn(planted.labels, planted.features, k=9)


def test_bad_input_is_named(planted):
    graph = nearest_neighbors(planted.features, 5)
    cases = [
        (
            lambda: deep_knn(planted.labels, graph, k=0),
            "k: Input should be greater than or equal to 1",
        ),
        (
            lambda: deep_knn(planted.labels, graph),
            "the graph holds 5 neighbors a sample but 100 are needed",
        ),
        (
            lambda: deep_knn(planted.labels[:9], graph, k=5),
            "neighbors have 2000 rows but there are 9 labels: give one row per sample",
        ),
    ]
    for call, message in cases:
        with pytest.raises(InputError) as raised:
            call()
        assert str(raised.value) == message


def test_component_reads_the_graph(planted):
    graph = nearest_neighbors(planted.features, 100)
    dataset = Dataset(labels=planted.labels, neighbors=graph, classes=tuple("abcdefgh"))
    assert required_neighbors(DeepKnn()) == 100
    assert required_neighbors(DeepKnn(k=7)) == 7
    assert DeepKnn().detect(dataset) == deep_knn(planted.labels, graph, k=50)
    assert DeepKnn(k=7).detect(dataset) == deep_knn(planted.labels, graph, k=7)
    with pytest.raises(InputError) as raised:
        DeepKnn().detect(dataset.replace(neighbors=None))
    assert str(raised.value) == (
        'the dataset has no column "neighbors": the enricher neighbors adds it'
    )


def test_a_small_dataset_needs_no_options(tmp_path):
    """By default a hundred neighbors are read, which sixty samples do not have."""
    random = np.random.default_rng(0)
    truth = np.arange(60) % 2
    labels = np.where(np.arange(60) % 10 == 0, 1 - truth, truth)
    features = 5 * np.eye(2, 4)[truth] + random.normal(size=(60, 4))
    save_dataset(Dataset(labels=labels, features=features.astype(np.float32)), tmp_path / "data")
    run = run_pipeline(
        Pipeline(dataset=tmp_path / "data", detectors=["deep-knn"]), tmp_path / "run"
    )
    np.testing.assert_array_equal(run.findings["deep-knn"].flagged, labels != truth)


def test_p_values_of_the_worked_example(vectors):
    example = vectors["dknn_credibility"]
    found = conformal_p_values(np.array(example["calibration"]), np.array(example["value"]))
    np.testing.assert_allclose(found, example["p_value"], atol=1e-12)


def test_trusted_labels_calibrate(planted):
    """Of a tenth of the right labels; nearly all others are credible then, and no wrong one."""
    trusted = ~planted.wrong & (np.arange(2000) % 10 == 0)
    found = deep_knn(planted.labels, planted.features, trusted=trusted)
    assert found.flagged[planted.wrong].all()
    assert found.flagged[~planted.wrong].mean() < 0.1
    stricter = deep_knn(planted.labels, planted.features, trusted=trusted, alpha=0.3)
    assert stricter.flagged.sum() > found.flagged.sum()
    np.testing.assert_array_equal(stricter.suspicion, found.suspicion)
    with pytest.raises(InputError) as raised:
        deep_knn(planted.labels, planted.features, trusted=np.zeros(2000, np.bool_))
    assert str(raised.value) == (
        "trusted: 0 of 2000 samples are, but some must be and some must not"
    )
