"""Levels of presence: the worked example and what is refused."""

import numpy as np
import pytest

from adc_core import InputError
from adc_plugins_review import presence

LEVELS = ("PP", "PNP", "NP", "U")
VOTES = [
    "PP PP",
    "PP PNP",
    "PNP PNP",
    "NP NP",
    "PP NP",
    "PP NP NP",
    "U U",
    "PP PP NP NP",
    "PNP PNP PP PP",
    "PP",
]
OUTCOMES = [
    "predominant",
    "present",
    "present",
    "absent",
    "unresolved",
    "absent",
    "unsure",
    "unresolved",
    "predominant",
    "unresolved",
]


def counts(votes):
    return [[said.split().count(level) for level in LEVELS] for said in votes]


def test_worked_example():
    assert presence(counts(VOTES)).tolist() == OUTCOMES


def test_how_many_must_agree():
    assert presence(counts(["PP", "NP"]), need=1).tolist() == ["predominant", "absent"]
    assert presence(counts(["PP PP"]), need=3).tolist() == ["unresolved"]
    assert presence(np.zeros((0, 4))).tolist() == []
    with pytest.raises(InputError) as caught:
        presence([[1, 2]])
    assert str(caught.value) == (
        "votes: expected M × 4 counts (PP, PNP, NP, U) and need from 1, got (1, 2) and 2"
    )
