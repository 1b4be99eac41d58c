"""Filters by classifiers: rules, held-out predictions, lone samples and named classifiers."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from adc_core import Dataset, InputError
from adc_plugins_detect import ClassifierFilter, classifier_filter
from adc_plugins_detect.detectors.classifier_filter import _plurality


class Constant(ClassifierMixin, BaseEstimator):
    """Predicts one class, whatever it learns."""

    def __init__(self, answer=0):
        self.answer = answer

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full(len(X), self.answer)


class ByHeart(ClassifierMixin, BaseEstimator):
    """Knows what it has seen; anything else is class 0."""

    def fit(self, X, y):
        self.seen = {row.tobytes(): label for row, label in zip(X, y, strict=True)}
        return self

    def predict(self, X):
        return np.array([self.seen.get(row.tobytes(), 0) for row in X])


FEATURES = np.arange(12.0).reshape(6, 2) ** 1.5
LABELS = np.array([0, 0, 1, 1, 2, 2])


def test_rules_count_who_predicts_otherwise():
    three = [Constant(0), Constant(0), Constant(1)]
    found = classifier_filter(LABELS, FEATURES, classifiers=three)
    np.testing.assert_allclose(found.suspicion, [1 / 3, 1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert found.flagged.tolist() == [False, False, True, True, True, True]
    assert found.suggested_labels.tolist() == [-1, -1, 0, 0, 0, 0]
    assert found.noise_rate == pytest.approx(4 / 6)
    strict = classifier_filter(LABELS, FEATURES, classifiers=three, rule="consensus")
    assert strict.flagged.tolist() == [False] * 4 + [True] * 2
    two = classifier_filter(LABELS, FEATURES, classifiers=three[1:])  # a tie keeps the label
    assert two.flagged.tolist() == [False] * 4 + [True] * 2
    assert two.suggested_labels.tolist() == [-1] * 4 + [0, 0]


def test_plurality_and_its_ties():
    best, votes = _plurality(np.array([[2, 1, 0], [0, 1, 2], [0, 2, 1]]))
    assert best.tolist() == [0, 1, 0]
    assert votes.tolist() == [2, 2, 1]


def test_nobody_judges_what_it_has_seen_and_lone_samples_are_kept():
    found = classifier_filter(LABELS, FEATURES, classifiers=[ByHeart()], folds=2)
    assert found.suspicion.tolist() == [0, 0, 1, 1, 1, 1]
    lone = classifier_filter([0, 0, 1, 1, 0, 2], FEATURES, classifiers=[ByHeart()], folds=2)
    assert lone.suspicion.tolist() == [0, 0, 1, 1, 0, 0]


def test_planted_noise(planted):
    rows = slice(600)
    labels, wrong = planted.labels[rows], planted.wrong[rows]
    found = classifier_filter(labels, planted.features[rows])
    assert (found.flagged == wrong).mean() > 0.97
    assert (found.suggested_labels[wrong] == planted.truth[rows][wrong]).mean() > 0.95
    strict = classifier_filter(labels, planted.features[rows], rule="consensus")
    assert not (strict.flagged & ~found.flagged).any()


def test_seeds_reach_the_folds_and_the_classifiers(planted):
    labels, features = planted.labels[:150], planted.features[:150, :6]
    trees = [RandomForestClassifier(n_estimators=3)]
    one, again, other = (
        classifier_filter(labels, features, classifiers=trees, seed=seed, folds=2)
        for seed in (0, 0, 1)
    )
    assert one == again != other
    assert trees[0].random_state is None
    fewer = classifier_filter(labels, features, classifiers=[GaussianNB()], folds=2)
    assert fewer != classifier_filter(labels, features, classifiers=[GaussianNB()], folds=7)


def test_bad_input_is_named():
    with pytest.raises(InputError) as caught:
        classifier_filter([1, 1], FEATURES[:2])
    assert str(caught.value) == (
        "all 2 samples are labelled 1: a filter needs at least two classes"
    )
    with pytest.raises(InputError, match="there is no classifier: give at least one"):
        classifier_filter(LABELS, FEATURES, classifiers=[])
    with pytest.raises(InputError) as caught:
        classifier_filter(LABELS, FEATURES, classifiers=[KNeighborsClassifier(20)], folds=2)
    assert str(caught.value).startswith("KNeighborsClassifier cannot learn from these features (")


def test_classifiers_are_named_with_their_options(planted):
    rows = slice(200)
    features = planted.features[rows].astype(np.float32)
    dataset = Dataset(labels=planted.labels[rows], features=features)
    named = {
        "classifiers": [
            {"use": "sklearn.neighbors:KNeighborsClassifier", "n_neighbors": 3},
            {"use": "sklearn.naive_bayes:GaussianNB"},
        ],
        "rule": "consensus",
        "folds": 3,
        "seed": 5,
    }
    filters = ClassifierFilter.model_validate(named)
    expected = classifier_filter(
        dataset.labels,
        features,
        classifiers=[KNeighborsClassifier(3), GaussianNB()],
        rule="consensus",
        folds=3,
        seed=5,
        ids=dataset.ids,
    )
    assert filters.detect(dataset) == expected
    for use, message in (
        ("sklearn.svm:Nothing", "sklearn.svm:Nothing cannot be imported"),
        ("os:system", "os:system is not declared to classify"),
        ("sklearn.linear_model:Ridge", "sklearn.linear_model:Ridge is not declared to classify"),
    ):
        with pytest.raises(InputError, match=message):
            ClassifierFilter(classifiers=({"use": use},)).detect(dataset)
    wrong = ClassifierFilter(classifiers=({"use": "sklearn.naive_bayes:GaussianNB", "k": 1},))
    with pytest.raises(InputError, match="does not take these options"):
        wrong.detect(dataset)
