"""Pruning: hardness, budgets, cuts and coverage, and what the curator reads."""

import numpy as np
import pytest

from adc_core import Dataset, Dynamics, InputError
from adc_core.testing.toys import toy_dataset
from adc_plugins_detect import Prune, el2n, prune
from adc_plugins_detect.curators.prune import share_budget

PROBABILITIES = np.array(
    [
        [0.7, 0.2, 0.1],
        [0.4, 0.5, 0.1],
        [0.05, 0.05, 0.9],
        [0.3, 0.3, 0.4],
        [0.9, 0.05, 0.05],
        [0.1, 0.1, 0.8],
    ]
)
LABELS = np.array([0, 0, 0, 2, 0, 2])
EL2N = [
    *(0.37416573867739417, 0.7874007874011811, 1.3095800853708794),
    *(0.7348469228349535, 0.12247448713915889, 0.24494897427831777),
]


def test_worked_example():
    np.testing.assert_allclose(el2n(LABELS, PROBABILITIES), EL2N)
    assert share_budget([50, 3, 20, 7, 40], 60).tolist() == [17, 3, 16, 7, 17]
    assert share_budget([2, 1], 9).tolist() == [2, 1]


def test_the_hardest_of_each_class_after_the_cut():
    assert prune(LABELS, EL2N, 2, cut=0).tolist() == [1, 2, 3, 5]
    assert prune(LABELS, EL2N, 1, cut=0.25).tolist() == [1, 3]
    assert prune(LABELS, EL2N, 1, cut=0.5).tolist() == [0, 5]
    assert prune(LABELS, np.zeros(6), 1, cut=0).tolist() == [0, 3]
    with pytest.raises(InputError) as caught:
        prune(LABELS, EL2N[:3], 1)
    assert str(caught.value) == "hardness: expected 6 finite numbers, got (3,)"


def test_coverage_takes_as_many_of_every_degree():
    scores = np.concatenate([np.zeros(900), np.linspace(0.5, 1, 100)])
    kept = prune(np.zeros(1000, int), scores, 100, cut=0, coverage=True)
    assert len(kept) == 100
    assert (scores[kept] == 0).sum() < 20
    same = prune(np.zeros(1000, int), scores, 100, cut=0, coverage=True)
    other = prune(np.zeros(1000, int), scores, 100, cut=0, coverage=True, seed=1)
    assert kept.tolist() == same.tolist() != other.tolist()
    assert len(prune(np.zeros(50, int), np.zeros(50), 100, cut=0, coverage=True)) == 50


def kept(dataset, **options):
    return set(Prune(per_class=20, **options).curate(dataset, ()).dataset.ids.tolist())


def test_the_curator():
    dataset = toy_dataset()
    choices = [
        {"hardness": "el2n"},
        {"hardness": "el2n", "cut": 0},
        {"hardness": "el2n", "coverage": True},
        {"hardness": "forgetting"},
        {"hardness": "margin"},
        {"hardness": "random"},
        {"hardness": "random", "seed": 1},
    ]
    found = [kept(dataset, **options) for options in choices]
    assert all(len(one) == 60 for one in found)
    assert len(set(map(frozenset, found))) == len(choices)
    curation = Prune(per_class=20).curate(dataset, ())
    assert curation.notes == ("compare with a random subset of the same size (hardness: random)",)
    assert curation.changes["reason"][0].as_py() == (
        "not among the 20 of its class that are kept by el2n"
    )
    assert Prune(per_class=20, hardness="random").curate(dataset, ()).notes == ()


def test_logits_of_the_dynamics_come_before_probabilities():
    curves = np.zeros((6, 2), np.float32)
    logits = np.log(np.stack([PROBABILITIES, PROBABILITIES], axis=1)).astype(np.float16)
    dynamics = Dynamics(
        epochs=[1, 2],
        given_probability=curves,
        margin=curves,
        loss=curves,
        correct=curves,
        logits=logits,
    )
    flat = np.full((6, 3), 1 / 3, np.float32)
    dataset = Dataset(labels=LABELS, probabilities=flat)
    hard = Prune(per_class=2, cut=0).curate(dataset.replace(dynamics=dynamics), ())
    assert hard.dataset.ids.tolist() == ["1", "2", "3", "5"]
    assert Prune(per_class=2, cut=0).curate(dataset, ()).dataset.ids.tolist() == list("0135")
    with pytest.raises(InputError) as caught:
        Prune().curate(dataset.replace(probabilities=None), ())
    assert str(caught.value) == (
        "el2n takes probabilities: add an enricher such as linear-probe, or training-dynamics "
        "whose learner has keep_logits"
    )
