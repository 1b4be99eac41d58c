import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_plugins_detect.noise import consensus as module
from adc_plugins_detect.noise.consensus import Consensus, fit


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


def counted(votes, n_classes):
    triples, counts = Consensus.triples_of(votes, n_classes)
    return Consensus.of(triples, counts / len(votes), n_classes)


def test_counts_are_those_of_the_worked_example(vectors):
    example = vectors["simifeat"]
    neighbors = np.array(example["neighbours"])[:, :3]
    votes = np.array(example["labels"])[neighbors]
    consensus = counted(votes, 2)
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

    consensus = counted(votes, n_classes)
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
    consensus = counted(np.random.default_rng(0).integers(0, 4, (50, 3)), 4)
    order = [2, 0, 3, 1]
    here, there = consensus.distance(T, p)[0], consensus.distance(T[order], p[order])[0]
    assert there == pytest.approx(here, abs=1e-12)


def test_exact_consensus_gives_the_model_back(vectors):
    example = vectors["hoc_fit"]
    shares = np.ravel(vectors["hoc_consensus"]["c3"])
    estimate = fit(Consensus.of(cells(3), shares, 3), 1500)
    np.testing.assert_allclose(estimate.transition, example["exact_T"], atol=5e-3)
    np.testing.assert_allclose(estimate.prior, example["exact_p"], atol=5e-3)


def test_a_contraction_in_blocks_is_the_same(monkeypatch):
    T, p = random_model(1, 6)
    consensus = counted(np.random.default_rng(0).integers(0, 6, (80, 3)), 6)
    whole = consensus.distance(T, p)
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", 40)
    for one, other in zip(whole, consensus.distance(T, p), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-15)
