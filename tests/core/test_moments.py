"""Gaussians of classes: without outliers, and rare classes with the help of common ones."""

import json
from pathlib import Path

import numpy as np
import pytest

from adc_core.arrays import class_moments
from adc_core.arrays.moments import local_outlier_factors


@pytest.fixture(scope="module")
def example():
    path = Path(__file__).parents[1] / "detect" / "vectors.json"
    made = json.loads(path.read_text(encoding="utf-8"))["class_gaussians"]
    return {
        name: np.array(value) if isinstance(value, list) else value for name, value in made.items()
    }


def test_outlier_factors_of_the_worked_example(example):
    for label, k in ((0, 4), (1, 4), (2, 2)):
        rows = example["labels"] == label
        found = local_outlier_factors(example["features"][rows], k)
        np.testing.assert_allclose(found, example["lof"][rows], atol=1e-9)
        # Three points have two neighbors each, however many are asked for.
    np.testing.assert_array_equal(local_outlier_factors(example["features"][rows], 9), found)


def test_moments_of_the_worked_example(example):
    found = class_moments(example["labels"], example["features"], k=4, heads=example["q"])
    np.testing.assert_array_equal(found.kept, example["kept"])
    np.testing.assert_array_equal(found.counts, example["count"])
    np.testing.assert_array_equal(np.flatnonzero(found.borrowed), example["tail"])
    np.testing.assert_allclose(found.means, example["calibrated_mean"], atol=1e-9)
    ridge = example["ridge"] * np.eye(2)
    np.testing.assert_allclose(
        found.covariances + ridge, example["calibrated_covariance"], atol=1e-9
    )
    for options in ({"gamma": 0.0}, {"heads": 0}):
        alone = class_moments(example["labels"], example["features"], k=4, **options)
        np.testing.assert_allclose(alone.means, example["mean"], atol=1e-9)
        np.testing.assert_allclose(alone.covariances, example["covariance"], atol=1e-9)


def test_duplicates_and_far_clusters_have_finite_factors():
    points = np.concatenate([np.zeros((20, 3)), 1e6 + np.eye(3)])
    found = local_outlier_factors(points, 5)
    np.testing.assert_allclose(found[:20], 1)
    assert np.isfinite(found).all() and (found[20:] > 1e6).all()


def test_classes_of_one_and_of_none():
    labels = np.array([0] * 9 + [3])
    features = np.random.default_rng(0).normal(size=(10, 2))
    found = class_moments(labels, features, gamma=0)
    assert found.classes.tolist() == [0, 3]
    np.testing.assert_array_equal(found.means[1], features[9])
    assert not found.covariances[1].any()
    lent = class_moments(labels, features, gamma=1)
    np.testing.assert_allclose(lent.covariances[1], found.covariances[0])


def test_several_common_classes_lend_by_their_size():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [300, 100, 5])
    features = np.array([[0.0, 0], [2, 0], [1, 3]])[labels] + rng.normal(size=(405, 2))
    options = {"gamma": 1.0, "max_outlier_factor": 1e9}
    both = class_moments(labels, features, heads=2, **options)
    np.testing.assert_allclose(both.means[2], 0.75 * both.means[0] + 0.25 * both.means[1])
    one = class_moments(labels, features, heads=1, **options)
    assert min(np.abs(one.means[2] - one.means[k]).max() for k in (0, 1)) < 1e-9
