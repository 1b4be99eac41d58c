"""Test sets that people corrected: outcomes, accuracies, crossings, and MNIST's candidates."""

import json
from collections import Counter

import numpy as np
import pytest

from adc_core import Dataset, InputError, Predictions, Run, Training
from adc_plugins_learn import (
    CorrectedAccuracy,
    CorrectedScores,
    corrected_accuracy,
    crossing_share,
    review_outcome,
)

VOTES = [[5, 0, 0, 0], [2, 3, 0, 0], [0, 5, 0, 0], [1, 1, 3, 0], [0, 1, 0, 4], [2, 2, 1, 0]]


def test_outcomes_of_the_worked_example():
    assert review_outcome(VOTES).tolist() == [
        *("given", "guessed", "guessed", "both", "neither", "undecided")
    ]
    five = ["given", "undecided", "guessed", *["undecided"] * 3]
    assert review_outcome(VOTES, 5).tolist() == five
    assert review_outcome(np.zeros((0, 4))).tolist() == []
    with pytest.raises(InputError) as caught:
        review_outcome([[1, 2]])
    assert str(caught.value) == (
        "votes: expected M × 4 counts (given, guessed, both, neither) and need from 1, "
        "got (1, 2) and 3"
    )


def test_accuracies_of_the_worked_example():
    """900 right labels of which 810 are predicted, 100 wrong ones: 50 learned, 30 corrected."""
    labels = np.zeros(1000, int)
    corrected = np.repeat([0, 1], [900, 100])
    predicted = np.repeat([0, 2, 0, 1, 2], [810, 90, 50, 30, 20])
    found = corrected_accuracy(predicted, labels, corrected)
    assert found == pytest.approx((0.86, 0.84, 0.3, 0.9, 0.1))
    corrected[:900] = -1
    assert corrected_accuracy(predicted, labels, corrected).corrected == 0.3
    nothing = corrected_accuracy(predicted, labels, np.full(1000, -1))
    assert np.isnan(nothing).all()


def test_crossing_of_the_worked_example():
    def scores(rest, fixed):
        return CorrectedScores(0, 0, fixed=fixed, rest=rest, share=0)

    one, other = scores(0.8, 0.2), scores(0.75, 0.45)
    assert crossing_share(one, other) == pytest.approx(1 / 6)
    assert crossing_share(other, one) == pytest.approx(1 / 6)
    assert crossing_share(scores(0.8, 0.4), scores(0.75, 0.375)) == pytest.approx(2)
    assert np.isnan(crossing_share(scores(0.75, 0.25), scores(0.5, 0)))


@pytest.fixture
def run():
    """Six images, all said to be hats; one model believes it, the other names the bags."""
    test = Dataset(labels=[0] * 6, ids=list("abcdef"), classes=("hat", "bag", "tie"))

    def training(name, guesses):
        table = np.eye(3, dtype=np.float32)[guesses]
        predictions = Predictions(probabilities=table, classes=test.classes)
        return Training(learner=name, trained_on="raw", predictions=predictions)

    trainings = (
        training("old", [0, 0, 0, 0, 0, 0]),
        training("new", [0, 1, 1, 2, 0, 1]),
        Training(learner="no", trained_on="raw"),
    )
    return Run(collected=test, trainings=trainings, test=test)


def write(path, rows):
    lines = ["id,guess,given,guessed,both,neither", *rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_run(run, tmp_path):
    rows = ["a,hat,5,5,0,0", "b,bag,2,3,0,0", "c,bag,0,5,0,0", "d,bag,1,1,3,0", "x,shoe,5,0,0,0"]
    path = write(tmp_path / "reviewed.csv", rows)
    found = CorrectedAccuracy(path=path).measure(run)
    figures = {(m.subject, m.metric): m.value for m in found if not m.detail}
    new, old = "new on raw", "old on raw"
    assert figures[old, "accuracy on original labels"] == 1
    assert figures[old, "accuracy on corrected labels"] == 0.6
    assert figures[new, "accuracy on original labels"] == 0.4
    assert figures[new, "accuracy on corrected labels"] == 0.8
    assert figures[new, "accuracy where the label was wrong"] == 1
    assert figures[new, "accuracy where it was right"] == pytest.approx(2 / 3)
    assert figures[new, "corrected labels"] == 0.4
    assert {(m.subject, m.metric): m.value for m in found if m.detail} == {
        (f"{old} and {new}", "share of wrong test labels at which both are equal"): 0.25,
        ("test set", "reviewed: given"): 1,
        ("test set", "reviewed: guessed"): 2,
        ("test set", "reviewed: both"): 1,
        ("test set", "reviewed: neither"): 0,
        ("test set", "reviewed: undecided"): 0,
    }
    stricter = CorrectedAccuracy(path=path, need=5).measure(run)
    assert [m.value for m in stricter if m.metric == "reviewed: undecided"] == [2]
    assert CorrectedAccuracy(path=path).measure(run.replace(test=None)) == ()


def test_a_review_that_is_not_there_yet_corrects_nothing(run, tmp_path):
    metric = CorrectedAccuracy(path=tmp_path / "later.csv")
    assert metric.awaited_files == ("path",)
    found = {(m.subject, m.metric): m.value for m in metric.measure(run)}
    assert found["new on raw", "accuracy on corrected labels"] == pytest.approx(2 / 6)
    assert found["new on raw", "accuracy where the label was wrong"] is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["x,bag,5,0,0,0"], "{path} names no sample of the test set: check its ids"),
        (
            ["a,shoe,5,0,0,0"],
            "{path}: row 0 has the guess 'shoe', which is not a class: hat, bag, tie",
        ),
        (
            None,
            "{path} has no column `guess`: it needs id, guess, given, guessed, both, neither, "
            "a row for each reviewed sample",
        ),
    ],
)
def test_tables_of_something_else(run, tmp_path, rows, message):
    path = tmp_path / "reviewed.csv"
    if rows is None:
        path.write_text("id\na\n")
    else:
        write(path, rows)
    with pytest.raises(InputError) as caught:
        CorrectedAccuracy(path=path).measure(run)
    assert str(caught.value) == message.format(path=path)


def test_candidates_of_mnist(shared_data):
    """87 candidates, each judged by five people; 13 more repeat the given label as the guess."""
    file = shared_data / "mnist_label_errors" / "mnist_mturk.json"
    candidates = [
        one
        for one in json.loads(file.read_text())
        if one["given_original_label"] != one["our_guessed_label"]
    ]
    asked = ("given", "guessed", "both", "neither")
    votes = [[one["mturk"].get(name, 0) for name in asked] for one in candidates]
    found = {need: Counter(review_outcome(votes, need).tolist()) for need in (3, 5)}
    assert found[3] == {"given": 72, "guessed": 10, "neither": 3, "undecided": 2}
    assert found[5] == {"given": 50, "guessed": 2, "undecided": 35}
