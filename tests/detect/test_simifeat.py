import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from adc_core.components.columns import required_neighbors
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_detect.detectors.simifeat import (
    SimiFeat,
    flag_by_rank,
    simifeat,
    wrong_rates,
)
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.noise.hoc import TransitionEstimate, hoc


@pytest.fixture
def noise_model(vectors):
    example = vectors["simifeat"]
    return TransitionEstimate(np.array(example["T"]), np.array(example["p"]), 0.0)


def f1(wrong, flagged):
    return 2 * (wrong & flagged).sum() / (wrong.sum() + flagged.sum())


def test_votes_of_the_worked_example(vectors):
    example = vectors["simifeat"]
    findings = simifeat(example["labels"], example["features"], k=4, rule="vote")
    assert np.flatnonzero(findings.flagged).tolist() == example["flags_V"]
    expected = np.where(findings.flagged, example["vote_label"], -1)
    np.testing.assert_array_equal(findings.suggested_labels, expected)
    assert findings.transition is None
    assert findings.noise_rate == 0.3


def test_ranks_of_the_worked_example(vectors, noise_model):
    example = vectors["simifeat"]
    labels = np.array(example["labels"])
    np.testing.assert_allclose(
        wrong_rates(labels, noise_model), example["rate_per_class"], atol=1e-12
    )
    findings = simifeat(labels, example["features"], k=4, transition=noise_model)
    assert np.flatnonzero(findings.flagged).tolist() == example["flags_R"]
    np.testing.assert_allclose(
        findings.suspicion, 1 - np.exp(-np.array(example["score"])), atol=1e-7
    )
    np.testing.assert_array_equal(findings.transition, noise_model.transition)
    assert findings.noise_rate == pytest.approx(1 - (0.4 * 0.75 + 0.6 * 0.7))


def test_finds_planted_noise(planted):
    ranked = simifeat(planted.labels, planted.features)
    voted = simifeat(planted.labels, planted.features, rule="vote")
    assert f1(planted.wrong, ranked.flagged) > 0.94
    assert f1(planted.wrong, voted.flagged) > 0.94
    right = planted.wrong & voted.flagged
    assert (voted.suggested_labels[right] == planted.truth[right]).mean() > 0.95
    worse = ranked.suspicion[planted.wrong][:, None] > ranked.suspicion[~planted.wrong]
    assert worse.mean() > 0.99


@pytest.mark.parametrize("rule", ["rank", "vote"])
def test_clean_clusters_are_not_flagged(planted, rule):
    assert not simifeat(planted.truth, planted.features, rule=rule).flagged.any()


def test_a_rate_of_zero_flags_nothing_and_a_least_rate_something(planted):
    clean = TransitionEstimate(np.eye(4), np.bincount(planted.labels) / 2000, 0.0)
    flags = simifeat(planted.labels, planted.features, transition=clean).flagged
    assert not flags.any()
    some = simifeat(planted.labels, planted.features, transition=clean, min_rate=0.05).flagged
    assert some.sum() == pytest.approx(100, abs=4)


def test_rates_are_clipped_and_absent_classes_do_no_harm():
    labels = np.array([0, 0, 1, 1])
    estimate = TransitionEstimate(np.eye(3), np.array([0.6, 0.01, 0.39]), 0.0)
    np.testing.assert_allclose(wrong_rates(labels, estimate), [0, 0.95, 0])
    assert not flag_by_rank(labels, np.full(4, 0.5), np.array([0.0, 0.0, 0.95])).any()


def test_flags_by_rank_are_a_percentile_of_each_class():
    labels = np.repeat([0, 1], 100)
    agreement = np.tile(np.linspace(0.01, 0.9, 100), 2)
    flagged = flag_by_rank(labels, agreement, np.array([0.1, 0.4]))
    assert np.flatnonzero(flagged[:100]).tolist() == list(range(10))
    assert np.flatnonzero(flagged[100:]).tolist() == list(range(40))


def test_undisputed_labels_are_never_flagged():
    labels = np.zeros(50, np.int64)
    assert not flag_by_rank(labels, np.ones(50), np.array([0.3])).any()


def test_a_graph_is_as_good_as_features(planted):
    graph = nearest_neighbors(planted.features, 25)
    assert simifeat(planted.labels, graph) == simifeat(planted.labels, planted.features)


def test_other_order_same_findings(planted):
    order = np.random.default_rng(1).permutation(2000)
    findings = simifeat(planted.labels, planted.features)
    permuted = simifeat(planted.labels[order], planted.features[order])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])
    np.testing.assert_allclose(permuted.suspicion, findings.suspicion[order], atol=1e-12)
    np.testing.assert_array_equal(permuted.suggested_labels, findings.suggested_labels[order])


def test_other_class_names_same_findings(planted):
    names = np.array([2, 0, 3, 1])
    findings = simifeat(planted.labels, planted.features)
    renamed = simifeat(names[planted.labels], planted.features)
    np.testing.assert_array_equal(renamed.flagged, findings.flagged)
    np.testing.assert_allclose(renamed.suspicion, findings.suspicion, atol=1e-12)
    np.testing.assert_allclose(
        renamed.transition[np.ix_(names, names)], findings.transition, atol=1e-6
    )
    suggested = findings.suggested_labels
    expected = np.where(suggested < 0, -1, names[suggested])
    np.testing.assert_array_equal(renamed.suggested_labels, expected)


def test_lengths_of_features_do_not_matter(planted):
    scale = 2.0 ** np.random.default_rng(1).integers(-9, 9, (2000, 1))
    scaled = simifeat(planted.labels, planted.features * scale)
    assert scaled == simifeat(planted.labels, planted.features)


def test_threads_memory_maps_and_inputs(planted, tmp_path):
    features = planted.features.astype(np.float32)
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    labels = planted.labels.copy()
    labels.flags.writeable = False
    findings = simifeat(labels, mapped)
    with threadpool_limits(1):
        assert simifeat(planted.labels, features) == findings


def test_labels_at_random_do_not_crash(planted):
    labels = np.random.default_rng(5).integers(0, 4, 2000)
    findings = simifeat(labels, planted.features, rule="vote")
    assert findings.noise_rate > 0.5


def test_classes_without_and_with_one_sample(planted):
    labels = planted.labels.copy()
    labels[7] = 5
    with pytest.warns(UserWarning, match="HOC estimates that class 5 is labelled 3 more often"):
        findings = simifeat(labels, planted.features, n_classes=7)
    assert findings.transition.shape == (7, 7)
    assert findings.suspicion[7] > 0.5


def test_bad_input_is_named(planted, noise_model):
    graph = nearest_neighbors(planted.features, 5)
    cases = [
        (
            lambda: simifeat(planted.labels, graph, k=2),
            "k: Input should be greater than or equal to 3",
        ),
        (
            lambda: simifeat(planted.labels, graph),
            "10 voters are the sample and 9 neighbors, but the graph has 5: "
            "search more neighbors or lower k",
        ),
        (
            lambda: simifeat(planted.labels[:9], graph, k=5),
            "neighbors have 2000 rows but there are 9 labels: give one row per sample",
        ),
        (
            lambda: simifeat(planted.labels, graph, k=5, transition=noise_model),
            "a transition matrix (2, 2) and a prior of 2 classes do not suit labels up to 3",
        ),
        (
            lambda: simifeat(planted.labels[:8], planted.features[:8]),
            "9 neighbors of each of 8 samples: choose 1…7, or give more samples",
        ),
    ]
    for call, message in cases:
        with pytest.raises(InputError) as raised:
            call()
        assert str(raised.value) == message


def test_component_reads_the_graph(planted):
    graph = nearest_neighbors(planted.features, 12)
    dataset = Dataset(
        labels=planted.labels, neighbors=graph, classes=("a", "b", "c", "d", "e"), ids=_ids(2000)
    )
    detector = SimiFeat(k=7, min_rate=0.01)
    assert required_neighbors(detector) == 6
    expected = simifeat(planted.labels, graph, k=7, min_rate=0.01, n_classes=5, ids=_ids(2000))
    assert detector.detect(dataset) == expected
    assert expected.transition.shape == (5, 5)
    with pytest.raises(InputError) as raised:
        detector.detect(dataset.replace(neighbors=None))
    assert str(raised.value) == (
        'the dataset has no column "neighbors": the enricher neighbors adds it'
    )


def test_the_default_transition_is_that_of_hoc(planted):
    graph = nearest_neighbors(planted.features, 9)
    findings = simifeat(planted.labels, graph)
    estimate = hoc(planted.labels, graph)
    np.testing.assert_array_equal(findings.transition, estimate.transition)
    assert findings.noise_rate == estimate.noise_rate


def _ids(rows):
    return np.array([f"sample-{row}" for row in range(rows)])
