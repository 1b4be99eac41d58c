"""The two most plausible answers to each item."""

import csv

import numpy as np
import pytest

from adc_core import Dataset, InputError, Votes
from adc_plugins_review import TopTwo, top_two
from adc_plugins_review.aggregation import top_two as room


def votes_of(answers):
    """Raters × items, 0 where there is no answer and else the class from 1 on."""
    rater, item = np.nonzero(np.array(answers))
    return item, rater, np.array(answers)[rater, item] - 1


@pytest.fixture
def example(vectors):
    return vectors["top_two"]


def test_worked_example(example):
    found = top_two(*votes_of(example["answers"]), classes=example["K"])
    np.testing.assert_allclose(found.skill, example["skill"], atol=1e-9)
    np.testing.assert_allclose(found.certainty, example["certainty"], atol=1e-9)
    assert found.first.tolist() == example["first_refined"]
    assert found.second.tolist() == example["second_refined"]
    right = np.array(example["truth_first"])
    assert (found.first == right).sum() == example["right"]["stage_two"] == 37


def test_large_tables_give_the_same(example, monkeypatch):
    whole = top_two(*votes_of(example["answers"]), classes=example["K"])
    monkeypatch.setattr(room, "_DENSE", 0)
    parts = top_two(*votes_of(example["answers"]), classes=example["K"])
    np.testing.assert_allclose(parts.certainty, whole.certainty, atol=1e-8)
    assert parts.first.tolist() == whole.first.tolist()
    assert parts.second.tolist() == whole.second.tolist()


def test_the_pair_is_the_likeliest_of_all(example):
    """By enumeration of all pairs, from skills and certainties as found."""
    item, rater, label = votes_of(example["answers"])
    K = example["K"]
    found = top_two(item, rater, label, classes=K)
    for row in range(len(found.first)):
        mine = item == row
        p, x, q = found.skill[rater[mine]], label[mine], found.certainty[row]
        best = {
            (a, b): np.log(p * (q * (x == a) + (1 - q) * (x == b)) + (1 - p) / K).sum()
            for a in range(K)
            for b in range(K)
            if a != b
        }
        pair = int(found.first[row]), int(found.second[row])
        assert best[pair] == pytest.approx(max(best.values()), abs=1e-9)


def test_soft_labels_sum_to_one(example):
    soft = top_two(*votes_of(example["answers"]), classes=5).soft_labels(5)
    np.testing.assert_allclose(soft.sum(axis=1), 1)
    assert ((soft > 0).sum(axis=1) == 2).all()


def test_the_last_answer_of_a_rater_counts(example):
    item, rater, label = votes_of(example["answers"])
    once = top_two(item, rater, label, classes=5)
    before = (np.concatenate([item[:7], item]), np.concatenate([rater[:7], rater]))
    twice = top_two(*before, np.concatenate([(label[:7] + 1) % 5, label]), classes=5)
    assert twice.first.tolist() == once.first.tolist()
    np.testing.assert_array_equal(twice.certainty, once.certainty)


def test_two_classes_are_refused():
    with pytest.raises(InputError, match="use dawid_skene"):
        top_two([0, 0, 1], [0, 1, 0], [0, 1, 1], classes=2)
    dataset = Dataset(
        labels=[0, 1], classes=("a", "b"), votes=Votes(item=[0, 0], rater=[0, 1], label=[0, 1])
    )
    with pytest.raises(InputError, match="use dawid-skene"):
        TopTwo().detect(dataset)


def test_the_detector_suspects_what_is_neither(example):
    item, rater, label = votes_of(example["answers"])
    found = top_two(item, rater, label, classes=5)
    given = np.where(np.arange(40) % 3 == 0, found.first, found.second)
    given[np.arange(40) % 3 == 2] = (found.first[np.arange(40) % 3 == 2] + 1) % 5
    dataset = Dataset(
        labels=given,
        classes=tuple("abcde"),
        votes=Votes(item=item, rater=rater, label=label),
    )
    judged = TopTwo().detect(dataset)
    expected = 1 - found.soft_labels(5)[np.arange(40), given]
    np.testing.assert_allclose(judged.suspicion, expected, atol=1e-12)
    assert not judged.flagged[given == found.first].any()


@pytest.mark.shared_data
def test_dogs(shared_data):
    """The spec's figures: .8315 of the first answers right, .9926 within the two."""
    folder = shared_data / "crowd" / "dog"
    with (folder / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    items = {name: n for n, name in enumerate(dict.fromkeys(row["item"] for row in rows))}
    raters = {name: n for n, name in enumerate(dict.fromkeys(row["worker"] for row in rows))}
    labels = sorted({row["label"] for row in rows})
    found = top_two(
        [items[row["item"]] for row in rows],
        [raters[row["worker"]] for row in rows],
        [labels.index(row["label"]) for row in rows],
        classes=4,
    )
    with (folder / "truth.csv").open() as file:
        truth = {row["item"]: labels.index(row["truth"]) for row in csv.DictReader(file)}
    true = np.array([truth[name] for name in items])
    assert (found.first == true).mean() == pytest.approx(0.8315, abs=0.0005)
    within = (found.first == true) | (found.second == true)
    assert within.mean() == pytest.approx(0.9926, abs=0.0005)
