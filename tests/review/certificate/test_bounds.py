"""Bounds of wrong labels and what a review shows, against numbers computed elsewhere."""

import numpy as np
import pytest
from scipy import stats

from adc_core import Findings
from adc_plugins_review import (
    any_time_upper,
    believed_rate,
    choose_repairs,
    exact_upper,
    expected_errors,
    items_of_budget,
    miss_rate_upper,
    sampling_weights,
    undo_misses,
    weighted_order,
)
from adc_plugins_review.certificate.any_time import BettingTest


def test_bounds_of_one_look(vectors):
    for case in vectors["exact_upper"]:
        given = [case[name] for name in ("population", "drawn", "found", "alpha")]
        assert exact_upper(*given) == case["upper"]
    for case in vectors["miss_rate_upper"]:
        upper = miss_rate_upper(case["shown"], case["missed"], case["alpha"])
        assert upper == pytest.approx(case["upper"], abs=1e-9)
    for case in vectors["undo_misses"]:
        given = [case[name] for name in ("judged_wrong", "population", "miss", "alpha")]
        assert undo_misses(*given) == case["upper"]


def test_the_exact_bound_is_the_last_that_the_sample_does_not_contradict():
    rng = np.random.default_rng(0)
    for _ in range(500):
        population = int(rng.integers(1, 3000))
        drawn = int(rng.integers(1, population + 1))
        found = int(rng.integers(0, min(drawn, 30) + 1))
        alpha = float(rng.choice([0.01, 0.05, 0.2]))
        upper = exact_upper(population, drawn, found, alpha)
        highest = population - (drawn - found)
        assert upper == highest or stats.hypergeom.cdf(found, population, upper, drawn) > alpha
        assert upper == highest or stats.hypergeom.cdf(found, population, upper + 1, drawn) <= alpha


def test_the_exact_bound_moves_with_what_is_found():
    uppers = [exact_upper(2000, 150, found) for found in range(40)]
    left = np.array(uppers) - np.arange(40)
    assert (np.diff(uppers) > 0).all()
    assert (np.diff(left) >= 0).all()
    assert exact_upper(2000, 300, 5) < exact_upper(2000, 150, 5) < exact_upper(2000, 150, 5, 0.01)
    assert exact_upper(400, 400, 12) == 12


def test_how_many_to_repair(vectors):
    for case in vectors["choose_repairs"]:
        given = [case[name] for name in ("population", "budget", "rate", "auc")]
        assert choose_repairs(*given)._asdict() == pytest.approx(case["plan"], abs=1e-12)
    assert items_of_budget(400, "one-then-two") == 347
    assert items_of_budget(400, "3") == 133


def test_what_is_believed_of_the_noise():
    def findings(rate):
        return Findings(ids=["a"], suspicion=[0.5], flagged=[False], noise_rate=rate)

    assert believed_rate([], 0.0) == 0.05
    assert believed_rate([findings(0.1), findings(None), findings(0.2)], 0.05) == pytest.approx(0.1)
    assert believed_rate([findings(0.02)], 0.2) == 0.005


def test_bounds_at_any_time(vectors):
    case = vectors["any_time_small"]
    expected = expected_errors(case["population"], case["rate"], case["auc"])
    weights = sampling_weights(expected)
    order = weighted_order(case["uniforms"], weights)
    assert expected == pytest.approx(case["expected"], abs=1e-12)
    assert weights == pytest.approx(case["weights"], abs=1e-12)
    assert order.tolist() == case["order"]
    test = BettingTest(case["verdicts"], order, weights, expected)
    for wrong, wealth in case["log_wealth"].items():
        there = [test.log_wealth(int(wrong), looks) for looks in (1, 2, 6, 12)]
        assert there == pytest.approx(wealth, abs=1e-9)
    for alpha in (0.05, 0.5):
        bounds = any_time_upper(case["verdicts"], order, weights, expected, alpha)
        assert bounds.tolist() == case[f"upper_{alpha}"]


def binormal(size, rate, auc, rng):
    """Which labels are wrong, most suspicious first, for a detector with this area."""
    wrong = np.zeros(size, bool)
    wrong[rng.choice(size, round(rate * size), replace=False)] = True
    score = rng.normal(size=size) + np.sqrt(2) * stats.norm.ppf(auc) * wrong
    return wrong[np.argsort(-score, kind="stable")]


def test_bounds_of_a_larger_set_at_any_time(vectors):
    case = vectors["any_time_2000"]
    rng = np.random.default_rng(case["seed"])
    wrong = binormal(2000, 0.03, 0.85, rng)
    assert wrong.sum() == case["wrong"]
    expected = expected_errors(2000, case["rate_believed"], case["auc_believed"])
    weights = sampling_weights(expected)
    order = weighted_order(rng.random(2000), weights)
    bounds = any_time_upper(wrong[order[:300]], order, weights, expected)
    assert {str(t): bounds[t - 1] for t in (50, 100, 200, 300)} == case["upper_after"]
    assert (np.diff(bounds) <= 0).all()


def test_the_wealth_grows_with_what_it_is_bet_against():
    rng = np.random.default_rng(1)
    expected = expected_errors(200, 0.1, 0.8)
    weights = sampling_weights(expected)
    order = weighted_order(rng.random(200), weights)
    test = BettingTest(rng.random(60) < 0.1, order, weights, expected)
    wealth = [test.log_wealth(wrong, 60) for wrong in range(int(test.found[-1]), 140)]
    assert (np.diff(wealth) > 0).all()
    assert any_time_upper([1] * 200, order, weights, expected)[-1] == 200
    assert any_time_upper([], order, weights, expected).size == 0
