import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from adc_core.errors import InputError
from adc_core.evidence import Neighbours
from adc_plugins_detect import transition
from adc_plugins_detect.enrichers.neighbours import nearest_neighbours
from adc_plugins_detect.transition import (
    Consensus,
    TransitionEstimate,
    fit,
    hoc,
    transition_from_votes,
)


def cells(n_classes):
    return np.array(list(itertools.product(range(n_classes), repeat=3)))


def model_of(T, p):
    """A model's consensus as three dense tables."""
    return (
        np.einsum("k,ka->a", p, T),
        np.einsum("k,ka,kb->ab", p, T, T),
        np.einsum("k,ka,kb,kc->abc", p, T, T, T),
    )


def random_model(seed, n_classes):
    random = np.random.default_rng(seed)
    return random.dirichlet(np.ones(n_classes), n_classes), random.dirichlet(np.ones(n_classes))


def votes_of(T, p, rows, seed):
    """Three independent labels of samples whose true classes follow the prior."""
    random = np.random.default_rng(seed)
    truth = random.choice(len(p), rows, p=p)
    return (random.random((rows, 3, 1)) > T.cumsum(axis=1)[truth][:, None, :]).sum(axis=2)


def test_counts_are_those_of_the_worked_example(vectors):
    example = vectors["simifeat"]
    neighbours = np.array(example["neighbours"])[:, :3]
    votes = np.array(example["labels"])[neighbours]
    consensus = Consensus.count(votes, 2)
    third = np.array(example["consensus_from_2nn"])
    np.testing.assert_allclose(consensus.second, third.sum(axis=2), atol=1e-12)
    np.testing.assert_allclose(consensus.first, third.sum(axis=(1, 2)), atol=1e-12)
    assert consensus.square == pytest.approx((third**2).sum(), abs=1e-12)


def test_distance_at_the_start_is_that_of_the_worked_example(vectors):
    example = vectors["hoc_consensus"]
    consensus = Consensus.of(cells(3), np.ravel(example["c3"]), 3)
    np.testing.assert_allclose(consensus.first, example["c1"], atol=1e-12)
    np.testing.assert_allclose(consensus.second, example["c2"], atol=1e-12)
    start = np.array(example["init_T"])
    distance, _, _ = consensus.distance(start, np.full(3, 1 / 3))
    assert distance == pytest.approx(example["loss_at_init_uniform_p"], abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), n_classes=st.integers(2, 6))
def test_distance_and_gradient_are_those_of_dense_tables(seed, n_classes):
    T, p = random_model(seed, n_classes)
    votes = np.random.default_rng(seed).integers(0, n_classes, (40, 3))
    dense = np.zeros((n_classes,) * 3)
    np.add.at(dense, tuple(votes.T), 1 / 40)
    tables = (dense.sum(axis=(1, 2)), dense.sum(axis=2), dense)

    def expected(T, p):
        pairs = zip(tables, model_of(T, p), strict=True)
        return sum(np.linalg.norm((seen - said).ravel()) for seen, said in pairs)

    consensus = Consensus.count(votes, n_classes)
    distance, by_transition, by_prior = consensus.distance(T, p)
    assert distance == pytest.approx(expected(T, p), abs=1e-9)
    random = np.random.default_rng(seed + 1)
    along_T, along_p = random.normal(size=T.shape), random.normal(size=p.shape)
    h = 1e-6
    slope = expected(T + h * along_T, p + h * along_p) - expected(T - h * along_T, p - h * along_p)
    assert (by_transition * along_T).sum() + by_prior @ along_p == pytest.approx(
        slope / (2 * h), rel=1e-4, abs=1e-6
    )


def test_naming_true_classes_otherwise_changes_no_distance():
    T, p = random_model(1, 4)
    consensus = Consensus.count(np.random.default_rng(0).integers(0, 4, (50, 3)), 4)
    order = [2, 0, 3, 1]
    here, there = consensus.distance(T, p)[0], consensus.distance(T[order], p[order])[0]
    assert there == pytest.approx(here, abs=1e-12)


def test_exact_consensus_gives_the_model_back(vectors):
    example = vectors["hoc_fit"]
    shares = np.ravel(vectors["hoc_consensus"]["c3"])
    estimate = fit(Consensus.of(cells(3), shares, 3), 1500)
    np.testing.assert_allclose(estimate.transition, example["exact_T"], atol=5e-3)
    np.testing.assert_allclose(estimate.prior, example["exact_p"], atol=5e-3)


def test_the_published_example_of_200_triples(vectors):
    example = vectors["hoc_fit"]
    counted = np.array(example["triple_counts"])
    votes = np.repeat(counted[:, :3], counted[:, 3], axis=0)
    estimate = transition_from_votes(votes)
    np.testing.assert_allclose(estimate.transition, example["csv_T"], atol=5e-3)
    np.testing.assert_allclose(estimate.prior, example["csv_p"], atol=5e-3)
    assert example["csv_loss"] - 5e-4 < estimate.loss <= example["csv_loss"]
    np.testing.assert_allclose(estimate.transition, example["readme_T"], atol=5e-3)


def test_many_votes_give_the_model_back():
    T = 0.7 * np.eye(5) + 0.3 * random_model(3, 5)[0]
    estimate = transition_from_votes(votes_of(T, np.full(5, 0.2), 200_000, 1))
    np.testing.assert_allclose(estimate.transition, T, atol=0.02)
    np.testing.assert_allclose(estimate.prior, 0.2, atol=0.01)
    assert estimate.noise_rate == pytest.approx(1 - T.diagonal().mean(), abs=0.01)


def test_a_contraction_in_blocks_is_the_same(monkeypatch):
    T, p = random_model(1, 6)
    consensus = Consensus.count(np.random.default_rng(0).integers(0, 6, (80, 3)), 6)
    whole = consensus.distance(T, p)
    monkeypatch.setattr(transition, "_BLOCK_ENTRIES", 40)
    for one, other in zip(whole, consensus.distance(T, p), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-15)


def test_a_hundred_classes_need_no_cube():
    T = 0.8 * np.eye(100) + 0.2 * np.roll(np.eye(100), 1, axis=1)
    estimate = transition_from_votes(votes_of(T, np.full(100, 0.01), 20_000, 2), steps=150)
    assert estimate.transition.diagonal().mean() == pytest.approx(0.8, abs=0.05)


def test_neighbours_of_clusters_tell_the_noise():
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 8000)
    features = 6 * np.eye(4, 16)[truth] + 0.6 * random.normal(size=(8000, 16))
    T = 0.7 * np.eye(4) + 0.3 * np.roll(np.eye(4), 1, axis=1)
    labels = (random.random((8000, 1)) > T.cumsum(axis=1)[truth]).sum(axis=1)
    estimate = hoc(labels, nearest_neighbours(features, 2))
    np.testing.assert_allclose(estimate.transition, T, atol=0.05)
    assert estimate.noise_rate == pytest.approx((labels != truth).mean(), abs=0.01)


def test_clean_labels_have_no_noise(planted):
    assert hoc(planted.truth, nearest_neighbours(planted.features, 2)).noise_rate < 1e-3


def test_copies_are_skipped(planted):
    twice = np.repeat(planted.features, 2, axis=0)
    labels = np.repeat(planted.labels, 2)
    once = hoc(planted.labels, nearest_neighbours(planted.features, 2))
    again = hoc(labels, nearest_neighbours(twice, 7))
    np.testing.assert_allclose(again.transition, once.transition, atol=1e-6)
    fooled = hoc(labels, nearest_neighbours(twice, 7), duplicate_similarity=2.0)
    assert fooled.noise_rate < once.noise_rate - 0.1


def test_the_number_of_threads_changes_nothing(planted):
    graph = nearest_neighbours(planted.features, 2)
    first = hoc(planted.labels, graph)
    with threadpool_limits(1):
        again = hoc(planted.labels, graph)
    assert again.transition.tobytes() == first.transition.tobytes()
    assert again.prior.tobytes() == first.prior.tobytes()


def test_the_noise_rate_weighs_classes_by_their_prior():
    estimate = TransitionEstimate(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([0.75, 0.25]), 0.0)
    assert estimate.noise_rate == pytest.approx(0.2)


def test_a_class_that_nobody_names_is_left_alone(planted):
    graph = nearest_neighbours(planted.features, 2)
    estimate = hoc(planted.labels, graph)
    wider = hoc(planted.labels + (planted.labels > 1), graph, n_classes=6)
    named = [0, 1, 3, 4]
    np.testing.assert_array_equal(wider.transition[np.ix_(named, named)], estimate.transition)
    assert wider.transition[2].tolist() == [0, 0, 1, 0, 0, 0]
    assert wider.prior[[2, 5]].tolist() == [0, 0]


def test_other_class_names_same_estimate(planted):
    names = np.array([2, 0, 3, 1])
    graph = nearest_neighbours(planted.features, 2)
    estimate, renamed = hoc(planted.labels, graph), hoc(names[planted.labels], graph)
    np.testing.assert_array_equal(renamed.transition[np.ix_(names, names)], estimate.transition)
    np.testing.assert_array_equal(renamed.prior[names], estimate.prior)


def test_warns_where_a_class_gets_another_label_most_often():
    T = np.array([[0.98, 0.02], [0.6, 0.4]])
    votes = votes_of(T, np.array([0.5, 0.5]), 50_000, 0)
    message = (
        "HOC estimates that class 1 is labelled 0 more often than 1: the neighbours are too "
        "poor, or the labels too noisy, to trust the transition matrix"
    )
    with pytest.warns(UserWarning) as warned:
        transition_from_votes(votes)
    assert [str(warning.message) for warning in warned] == [message]


def test_bad_input_is_named(planted):
    graph = nearest_neighbours(planted.features, 1)
    cases = [
        (
            lambda: hoc(planted.labels, graph),
            "HOC needs 2 neighbours of every sample, the graph has 1",
        ),
        (
            lambda: hoc(planted.labels[:5], graph),
            "neighbours have 2000 rows but there are 5 labels: give one row per sample",
        ),
        (lambda: transition_from_votes([[0, 1]]), "votes: expected N × 3 labels, got (1, 2)"),
        (
            lambda: hoc(
                [0, 1, 1],
                Neighbours(indices=[[1, 2], [0, 2], [0, 1]], similarities=np.ones((3, 2))),
            ),
            "no sample has two neighbours that are not copies: "
            "search more neighbours, or raise duplicate_similarity",
        ),
    ]
    for call, message in cases:
        with pytest.raises(InputError) as raised:
            call()
        assert str(raised.value) == message
