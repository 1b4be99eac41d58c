"""Simulated raters err as people do, as often as they should, and never on what they learned."""

import numpy as np
import pytest

from adc_core import Dataset, InputError
from adc_plugins_review import RaterPool, choose_raters, off_diagonal_test, realism
from adc_plugins_review.simulated_raters.candidates import train_candidates


def blobs(rows=900, seed=0):
    """Six classes in 256 dimensions, of which two and two resemble each other."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(rows) % 6)
    centers = np.repeat(rng.normal(0, 0.25, (3, 256)), 2, axis=0) + rng.normal(0, 0.12, (6, 256))
    clarity = rng.choice([0.4, 2.5], (rows, 1), p=[0.35, 0.65])  # little can be seen of some
    features = clarity * centers[labels] + rng.normal(0, 1, (rows, 256))
    return Dataset(labels=labels, features=features.astype(np.float32))


@pytest.fixture(scope="module")
def given():
    return blobs()


def test_choices_of_the_specification(vectors):
    for case in vectors["choose_raters"]:
        errors = np.array(case["errors"])
        agreement = 1 - 0.8 * (errors[:, None] + errors[None])
        np.fill_diagonal(agreement, 1)
        found = choose_raters(
            errors, agreement, case["size"], case["target_error"], case["target_agreement"]
        )
        result = case["result"]
        assert list(found.chosen) == result["chosen"]
        assert found.mean_error == pytest.approx(result["mean_error"], abs=1e-9)
        assert found.mean_agreement == pytest.approx(result["mean_agreement"], abs=1e-9)
        assert found.cost == pytest.approx(result["cost"], abs=1e-9)


@pytest.mark.parametrize("error", [0.2, 0.35, 0.5])
def test_errors_are_those_that_were_wanted_and_look_like_people(given, error):
    pool = RaterPool(pool_size=40, error=error, expert_share=0)
    found = pool.corrupt(given)
    counts = found.votes.counts(len(given), 6)
    figures = realism(counts, given.labels)
    assert figures.overall_error == pytest.approx(error, abs=0.05)
    assert figures.overdispersion > 1.5
    assert figures.intraclass_correlation > 0.08
    assert off_diagonal_test(counts, given.labels).cramer_v > 0.1
    assert found.mask.mean() == pytest.approx(figures.overall_error, abs=0.04)
    assert np.diag(found.transition).mean() == pytest.approx(1 - error, abs=0.07)


def test_raters_of_a_half_learn_from_the_other_half_alone(given, monkeypatch):
    seen = []

    def spy(features, labels, halves, *rest):
        seen.extend(halves)
        return train_candidates(features, labels, halves, *rest)

    monkeypatch.setattr("adc_plugins_review.simulators.rater_pool.train_candidates", spy)
    RaterPool(raters=2, pool_size=2).corrupt(given)
    (learned, told), (learned_2, told_2) = seen
    assert not np.intersect1d(learned, told).size
    assert np.array_equal(learned, told_2)
    assert np.array_equal(learned_2, told)
    assert len(learned) + len(told) == len(given)
    for rows in (learned, told):
        assert np.ptp(np.bincount(given.labels[rows])) <= 1
    labels = given.labels.copy()
    labels[told] = 0  # what they label must not matter to those who learned from the others
    pool = train_candidates(given.features, given.labels, [(learned, told)], 3, 0.2, 0)
    other = train_candidates(given.features, labels, [(learned, told)], 3, 0.2, 0)
    assert np.array_equal(pool.label, other.label)


def test_an_expert_is_right_and_trusted(given):
    votes = RaterPool(raters=3, pool_size=4, votes_per_sample=2).corrupt(given).votes
    expert = votes.rater == 3
    assert votes.names[3] == "expert"
    assert votes.trusted.tolist() == [False, False, False, True]
    assert expert.sum() == 90
    assert (votes.label[expert] == given.labels[votes.item[expert]]).all()
    assert (np.bincount(votes.item[~expert]) == 2).all()
    assert votes.features.shape == (4, 5)


def test_the_papers_fold_leaves_a_half_alone(given):
    found = RaterPool(raters=3, pool_size=4, fold="paper").corrupt(given)
    told = np.unique(found.votes.item)
    assert len(told) == 450
    assert not found.mask[np.setdiff1d(np.arange(900), told)].any()


def test_one_seed_one_pool(given):
    first, second = (RaterPool(raters=3, pool_size=5, seed=4).corrupt(given) for _ in range(2))
    assert first == second
    assert RaterPool(raters=3, pool_size=5, seed=5).corrupt(given) != first


def test_an_error_out_of_reach_is_told(given, monkeypatch):
    said = []
    monkeypatch.setattr("adc_plugins_review.simulators.rater_pool.status", said.append)
    RaterPool(raters=3, pool_size=4, error=0.9).corrupt(given)
    assert "; 90% was wanted, but the candidates' errors are " in said[0]


def test_pools_that_cannot_be(given):
    with pytest.raises(InputError, match="pool_size is 3: give at least 10 raters"):
        RaterPool(pool_size=3).corrupt(given)
    with pytest.raises(InputError, match="1 has fewer than four samples"):
        RaterPool().corrupt(Dataset(labels=[0] * 9 + [1] * 3, features=np.ones((12, 2))))
