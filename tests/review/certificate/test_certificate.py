"""The certificate: its numbers, and that it covers what it says it covers."""

import numpy as np
import pytest
from scipy import stats

from adc_core import InputError
from adc_plugins_review import (
    Gold,
    audit_weights,
    certify,
    certify_any_time,
    choose_repairs,
    weighted_order,
    weights_digest,
)
from adc_plugins_review.certificate.modelled import modelled_rate


def verdicts(shown, wrong, open_=0):
    return np.repeat([-1, 0, 1], [wrong, open_, shown - wrong - open_])


def test_certificates_of_the_specification(vectors):
    for case in vectors["certificate"]:
        given = dict(case["given"])
        gold = given.pop("gold", None)
        bound = certify(
            verdicts(given["repaired"], given["repaired_wrong"]),
            verdicts(given["drawn"], given["drawn_wrong"]),
            population=given["population"],
            dropped=given["dropped"],
            gold=None if gold is None else Gold(*gold),
        )
        for name, value in case["result"].items():
            assert getattr(bound, name) == pytest.approx(value, abs=1e-12), name


def test_what_is_not_decided_counts_as_wrong_and_stays():
    full = certify(verdicts(100, 10), verdicts(300, 3), population=5000)
    late = certify(verdicts(100, 10, 4), verdicts(300, 3, 2), population=5000)
    worst = certify(verdicts(100, 14), verdicts(300, 5), population=5000)
    assert late.left_upper == worst.left_upper + 4 + 2
    assert late.rate_upper > worst.rate_upper > full.rate_upper


def test_wrong_labels_found_outside_the_audit_are_left_no_more():
    few = certify(verdicts(0, 0), verdicts(300, 3), population=5000)
    more = certify(verdicts(0, 0), verdicts(300, 3), population=5000, removed=13, dropped=13)
    assert more.left_upper == few.left_upper - 10


def test_what_leaves_for_another_reason_makes_no_repair_look_bad():
    held_out = certify(verdicts(100, 20), verdicts(300, 3), population=5000, dropped=2023)
    assert held_out.left_upper / (5000 - 2023) == held_out.rate_upper
    assert held_out.rate_upper < held_out.rate_without_repairs < 2 * held_out.rate_upper


def test_a_census_leaves_exactly_what_is_left():
    bound = certify(verdicts(100, 20), verdicts(300, 12), population=400)
    assert bound.left_upper == bound.best_guess == 0
    assert certify(verdicts(400, 9), [], population=400).rate_upper == 0


def test_certificates_that_cannot_be():
    with pytest.raises(InputError, match="no sample was audited"):
        certify(verdicts(10, 1), [], population=100)
    with pytest.raises(InputError, match="95 audited samples of 90 outside the repair part"):
        certify(verdicts(10, 1), verdicts(95, 0), population=100)


def binormal(size, rate, auc, rng):
    wrong = np.zeros(size, bool)
    wrong[rng.choice(size, round(rate * size), replace=False)] = True
    score = rng.normal(size=size) + np.sqrt(2) * stats.norm.ppf(auc) * wrong
    return wrong[np.argsort(-score, kind="stable")]


@pytest.mark.parametrize(("rate", "auc"), [(0.05, 0.9), (0.02, 0.25)])
def test_the_bound_holds_as_often_as_it_says(rate, auc):
    """A good and a misleading detector; either way of looking. Chance below .90: under 1 %."""
    rng = np.random.default_rng(11)
    size, items, repeats = 2000, 200, 200
    plan = choose_repairs(size, items, 2 * rate)
    R, n = plan.repaired, plan.drawn
    weights, expected = audit_weights(np.arange(size), 2 * rate, 0.8)
    held = np.zeros((repeats, 2), bool)
    for repeat in range(repeats):
        wrong = binormal(size, rate, auc, rng)
        verdict = np.where(wrong, -1, 1)
        audit = R + rng.choice(size - R, n, replace=False)
        once = certify(verdict[:R], verdict[audit], population=size)
        held[repeat, 0] = (
            wrong.sum() - (verdict[:R] < 0).sum() - once.drawn_wrong <= once.left_upper
        )
        places = weighted_order(rng.random(size - R), weights[R:])[:n]
        later = certify_any_time(
            verdict[:R],
            verdict[R + places],
            weights=weights[R:],
            expected=expected[R:],
            places=places,
            population=size,
        )
        left = wrong.sum() - later.repaired_wrong - later.drawn_wrong
        held[repeat, 1] = left <= later.left_upper
    assert (held.mean(axis=0) >= 0.90).all()


def test_at_any_time_what_is_decided_first_counts():
    weights, expected = audit_weights(np.arange(500), 0.1, 0.8)
    places = weighted_order(np.random.default_rng(0).random(500), weights)
    audit = np.ones(200, int)
    audit[150] = 0
    audit[180] = -1
    bound = certify_any_time(
        [], audit, weights=weights, expected=expected, places=places, population=500
    )
    assert (bound.look, bound.drawn, bound.drawn_wrong, bound.removed) == ("any", 150, 0, 1)
    audit[0] = 0
    with pytest.raises(InputError, match="the first sample of the audit is not decided"):
        certify_any_time(
            [], audit, weights=weights, expected=expected, places=places, population=500
        )


def test_weights_are_told_apart_by_their_digest():
    order = np.arange(100)
    weights, _ = audit_weights(order, 0.1, 0.8)
    assert weights_digest(weights) == weights_digest(weights.copy())
    others = [audit_weights(order[::-1], 0.1, 0.8), audit_weights(order, 0.2, 0.8)]
    assert len({weights_digest(one) for one, _ in others} | {weights_digest(weights)}) == 3


def test_a_model_of_the_raters_estimates_what_is_left(vectors):
    case = vectors["verification"]
    answers = np.array(case["answers"])
    item, rater = np.repeat(np.arange(8), 3), np.tile(np.arange(3), 8)
    wrong = 1 - np.array(case["posterior_right"])
    leaves = np.zeros(20, bool)
    leaves[[3, 5]] = True
    repair, audit = np.array([3, 4]), np.array([0, 1, 2, 5, 6, 7])
    found = modelled_rate(item, rater, answers.ravel(), repair, audit, leaves)
    left = wrong[[0, 1, 2, 4, 6, 7]].sum() + 12 * wrong[audit].mean()
    assert found == pytest.approx(left / 18, abs=1e-6)
    once = rater == 0
    assert modelled_rate(item[once], rater[once], answers[:, 0], repair, audit, leaves) is None
