"""Functions that vote on labels: their answers, who may be called, and the label model on them."""

import sys
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from adc_core import Dataset, InputError
from adc_plugins_review import (
    DawidSkene,
    LabelingFunctions,
    MajorityVotes,
    class_in_title,
    votes_by_functions,
)

BUILT_IN = "adc_plugins_review.enrichers.labeling_functions:class_in_title"


@pytest.fixture
def shop():
    titles = ["Red HAT", "a bag and a hat", None, "bag, leather", "nothing", "hat"]
    return Dataset(
        labels=[0, 0, 1, 0, 1, 0],
        classes=("hat", "bag"),
        sources=pa.table({"title": titles}),
    )


def by_number(dataset: Dataset) -> NDArray[np.int64]:
    """Know the even rows."""
    return np.where(np.arange(len(dataset)) % 2 == 0, 1, -1)


def by_name(dataset: Dataset) -> np.ndarray:
    """Know the first."""
    return np.array(["bag"] + [None] * (len(dataset) - 1), dtype=object)


def undeclared(dataset):
    return np.zeros(len(dataset), int)


@pytest.fixture
def rules(monkeypatch):
    module = ModuleType("my_rules")
    module.by_number, module.by_name, module.undeclared = by_number, by_name, undeclared
    monkeypatch.setitem(sys.modules, "my_rules", module)
    return module


def test_titles_that_name_one_class(shop):
    assert class_in_title(shop).tolist() == [0, -1, -1, 1, -1, 0]
    with pytest.raises(InputError, match="class_in_title reads the column title"):
        class_in_title(shop.replace(sources=None))


def test_each_answer_is_a_vote(shop):
    votes = votes_by_functions(shop, [by_number, by_name])
    assert votes.item.tolist() == [0, 2, 4, 0]
    assert votes.rater.tolist() == [0, 0, 0, 1]
    assert votes.label.tolist() == [1, 1, 1, 1]
    assert votes.names == ("by_number", "by_name")
    assert len(votes_by_functions(shop, [lambda dataset: np.full(6, -1)])) == 0


def fails(dataset):
    raise KeyError("page")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (fails, "fails failed (KeyError: 'page'): mend it"),
        (
            lambda dataset: np.zeros(3, int),
            "<lambda> answers (3,): it must answer a class or nothing for each of 6 samples",
        ),
        (
            lambda dataset: np.array(["hat"] * 5 + ["shoe"]),
            "<lambda> answers 'shoe' of row 5, which is no class: hat, bag, or nothing ('' or -1)",
        ),
        (
            lambda dataset: np.arange(6),
            "<lambda> answers 2 of row 2, which is no class: hat, bag, or nothing ('' or -1)",
        ),
    ],
)
def test_answers_of_another_kind_are_refused(shop, function, message):
    with pytest.raises(InputError) as caught:
        votes_by_functions(shop, [function])
    assert str(caught.value) == message


def test_the_enricher_names_its_raters(shop, rules):
    names = ("my_rules:by_number", BUILT_IN)
    enricher = LabelingFunctions(functions=names)
    votes = enricher.enrich(shop).votes
    assert votes.names == names
    assert np.bincount(votes.rater).tolist() == [3, 3]
    with pytest.raises(InputError, match="the dataset has votes already"):
        enricher.enrich(shop.replace(votes=votes))


@pytest.mark.parametrize("name", ["my_rules:undeclared", "os:getcwd", "builtins:list", "numpy:eye"])
def test_what_is_not_declared_to_label_samples_is_never_called(shop, rules, name):
    with pytest.raises(InputError, match="is not declared to label samples"):
        LabelingFunctions(functions=(name,)).enrich(shop)


def test_another_text_of_a_function_is_another_component(shop, rules):
    one = LabelingFunctions(functions=("my_rules:by_number",)).fingerprint
    assert one == LabelingFunctions(functions=("my_rules:by_number",)).fingerprint
    rules.by_number = by_name  # as if it had been edited
    assert one != LabelingFunctions(functions=("my_rules:by_number",)).fingerprint
    assert LabelingFunctions(functions=("my_rules:gone",)).fingerprint


def test_dawid_and_skene_learn_whom_to_believe():
    """Two good functions that know half of the samples each, and three that guess."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 900)
    labels = np.where(rng.random(900) < 0.25, (truth + 1) % 3, truth)
    dataset = Dataset(labels=labels, classes=tuple("abc"))

    def function(skill, known):
        answers = np.where(rng.random(900) < skill, truth, rng.integers(0, 3, 900))
        answers[rng.random(900) >= known] = -1
        return lambda dataset: answers

    functions = [function(0.95, 0.8), function(0.95, 0.8), *[function(0.2, 0.9) for _ in range(3)]]
    voted = dataset.replace(votes=votes_by_functions(dataset, functions))
    right = {}
    for detector in (MajorityVotes(), DawidSkene()):
        found = detector.detect(voted)
        right[detector.name] = (found.flagged == (labels != truth))[found.covered].mean()
    assert right["dawid-skene"] > right["majority-votes"] + 0.05
    assert right["dawid-skene"] > 0.85
