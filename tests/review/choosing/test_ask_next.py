"""Chances to ask that are best against an adversary."""

import re

import numpy as np
import pytest
from scipy.optimize import linprog

from adc_core import InputError
from adc_plugins_review import ask_next, draw_by_chance


@pytest.fixture(scope="module")
def example(vectors):
    return vectors["ask_next"]


def value_of(chances, gains, wrong, cost):
    worth = np.sort(np.asarray(chances) * gains)[::-1]
    return worth.sum() - (1 + cost) * worth[:wrong].sum()


def best_value(gains, wrong, budget, cost):
    """By a linear program: spoiled answers are Σ of the largest, as wrong·θ + Σ max(0, qg − θ)."""
    n = len(gains)
    objective = np.concatenate([-gains, [(1 + cost) * wrong], np.full(n, 1 + cost)])
    above = np.hstack([np.diag(gains), -np.ones((n, 1)), -np.eye(n)])
    total = np.concatenate([np.ones(n), np.zeros(n + 1)])[None]
    solved = linprog(
        objective,
        A_ub=np.vstack([above, total]),
        b_ub=np.concatenate([np.zeros(n), [budget]]),
        bounds=[(0, 1)] * n + [(0, None)] * (n + 1),
    )
    return -solved.fun


def test_worked_examples(example):
    gains = np.array(example["gains"])
    for text, case in example["cases"].items():
        wrong, budget, cost = (int(one) for one in re.findall(r"=(\d+)", text))
        found = ask_next(gains, wrong=wrong, budget=budget, cost=cost)
        assert value_of(found, gains, wrong, cost) == pytest.approx(case["value"], abs=1e-9), text
        np.testing.assert_allclose(found, case["chances"], atol=1e-9, err_msg=text)


@pytest.mark.parametrize("seed", range(120))
def test_no_linear_program_does_better(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    gains = rng.random(n).round(2)
    wrong, cost = int(rng.integers(0, n)), float(rng.choice([0, 0.5, 1]))
    budget = float(rng.choice([1, 2.5, n / 2, n + 3]))
    found = ask_next(gains, wrong=wrong, budget=budget, cost=cost)
    assert ((found >= 0) & (found <= 1 + 1e-12)).all()
    assert found.sum() <= budget + 1e-9
    assert (found[gains == 0] == 0).all()
    best = best_value(gains, wrong, budget, cost)
    assert value_of(found, gains, wrong, cost) == pytest.approx(max(best, 0), abs=1e-7)


def test_without_an_adversary_the_largest_gains_are_asked():
    gains = np.array([0.2, 0.9, 0.5, 0.7])
    assert ask_next(gains, wrong=0, budget=2).tolist() == [0, 1, 0, 1]


def test_nobody_is_asked_where_asking_loses():
    assert not ask_next([0.5, 0.5], wrong=2, budget=1).any()
    assert not ask_next([], wrong=0, budget=1).any()


def test_drawing_takes_as_many_as_the_chances_sum_to(example):
    given = example["systematic"]
    assert draw_by_chance(given["chances"], given["start"]).tolist() == given["rows"]
    rng = np.random.default_rng(0)
    chances = rng.random(50)
    chances *= 10 / chances.sum()
    drawn = np.stack(
        [np.isin(np.arange(50), draw_by_chance(chances, u)) for u in (np.arange(400) + 0.5) / 400]
    )
    assert (drawn.sum(axis=1) == 10).all()
    np.testing.assert_allclose(drawn.mean(axis=0), chances, atol=0.006)


def test_a_million_samples_take_no_square_of_them():
    gains = np.random.default_rng(0).random(1_000_000)
    found = ask_next(gains, wrong=50_000, budget=2_000)
    assert found.sum() == pytest.approx(2_000, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"gains": [1.5], "wrong": 0, "budget": 1}, "gains"),
        ({"gains": [0.5], "wrong": -1, "budget": 1}, "wrong, budget and cost"),
    ],
)
def test_wrong_input_is_refused(options, fault):
    with pytest.raises(InputError, match=fault):
        ask_next(**options)
