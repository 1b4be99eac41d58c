"""Outliers, confusions, overlaps, shares with their intervals, and tests of order."""

import numpy as np
import pytest

from adc_plugins_detect import nearest_neighbors
from adc_plugins_detect.health.class_health import (
    agreement,
    find_confusions,
    find_overlaps,
    share,
)
from adc_plugins_detect.health.order import label_order, sample_order
from adc_plugins_detect.health.outliers import find_outliers


def clusters(seed=0, rows=600, classes=3, near=()):
    """Features of separate classes; pairs in `near` share their center."""
    rng = np.random.default_rng(seed)
    centers = 6 * np.eye(classes, 16)
    for one, other in near:
        centers[other] = centers[one]
    labels = np.arange(rows) % classes
    return labels, centers[labels] + rng.normal(0, 1, (rows, 16))


def test_outliers_are_found_and_hardly_anything_else():
    _, features = clusters()
    features[[5, 77]] = np.random.default_rng(1).normal(0, 1, (2, 16)) - 4
    outliers = find_outliers(nearest_neighbors(features, k=15))
    assert outliers.k == 10
    assert outliers.flagged[[5, 77]].all()
    assert outliers.flagged.sum() <= 2 + 0.01 * 600
    assert set(np.argsort(-outliers.distance)[:2].tolist()) == {5, 77}
    assert outliers.limit > outliers.median > 0


def test_equal_samples_have_no_outliers():
    outliers = find_outliers(nearest_neighbors(np.ones((30, 4)), k=5))
    assert (outliers.k, outliers.flagged.any()) == (5, False)


def test_the_interval_of_a_share():
    """Wilson's interval of 1 of 10, as in Newcombe (1998): .0179 … .4042."""
    found = share(1, 10)
    assert (found.value, found.part, found.whole) == (0.1, 1, 10)
    assert found.low == pytest.approx(0.0179, abs=1e-4)
    assert found.high == pytest.approx(0.4042, abs=1e-4)
    assert share(0, 0).value is None
    assert share(0, 5).low == 0.0
    assert share(5, 5).high == 1.0


def test_confusions_beyond_chance():
    """Class 0 is predicted as 1 thirty times, and as 2 and 3 twice each."""
    labels = np.repeat([0, 1, 2, 3], 100)
    predicted = labels.copy()
    predicted[:30], predicted[30:32], predicted[32:34] = 1, 2, 3
    (pair,) = find_confusions(labels, predicted, 4)
    assert (pair.label, pair.predicted, pair.share.part, pair.share.whole) == (0, 1, 30, 100)
    assert pair.times == pytest.approx(30 / (34 / 3))
    assert find_confusions(labels, labels, 4) == []


def test_overlapping_classes_come_first():
    labels, features = clusters(classes=4, near=[(1, 3)])
    graph = nearest_neighbors(features, k=10)
    first, *rest = find_overlaps(labels, graph, 4)
    assert (first.one, first.other) == (1, 3)
    assert first.share == pytest.approx(0.5, abs=0.06)
    assert first.chance == pytest.approx(0.25, abs=0.01)
    assert all(pair.share < 0.1 for pair in rest)
    shares = agreement(labels, graph)
    assert shares[labels == 0].mean() > 0.95
    assert shares[labels == 1].mean() == pytest.approx(0.5, abs=0.06)


def test_sorted_labels_are_told():
    labels = np.random.default_rng(0).integers(0, 5, 500)
    shuffled, in_order = label_order(labels), label_order(np.sort(labels))
    assert shuffled.p_value > 0.05
    assert shuffled.ratio == pytest.approx(1, abs=0.1)
    assert in_order.p_value == 1 / 200
    assert in_order.ratio < 0.02
    assert label_order(labels) == shuffled


def test_samples_in_order_within_their_class_are_told():
    """Features drift along the order of each class, as frames of a film do."""
    labels, features = clusters()
    graph = nearest_neighbors(features, k=10)
    assert sample_order(graph, labels).p_value > 0.02
    drift = np.arange(600)[:, None] / 60 * np.eye(1, 16, 10)
    moved = sample_order(nearest_neighbors(features + drift, k=10), labels)
    assert moved.p_value == 1 / 200
    assert moved.ratio < 0.8
    assert sample_order(graph, np.arange(600)) is None


def test_the_order_of_classes_alone_tells_nothing():
    """Read class by class, neighbors are near in order, for they are of one class."""
    labels, features = clusters()
    by_class = np.argsort(labels, kind="stable")
    graph = nearest_neighbors(features[by_class], k=10)
    assert sample_order(graph, labels[by_class]).p_value > 0.02
