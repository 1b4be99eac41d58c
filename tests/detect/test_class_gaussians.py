"""Labels judged by Gaussians of their classes."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score

from adc_core import Dataset, InputError
from adc_core.arrays import class_moments
from adc_plugins_detect import ClassGaussians, class_gaussians
from adc_plugins_detect.detectors.class_gaussians import log_densities


def test_posteriors_of_the_worked_example(vectors):
    example = vectors["class_gaussians"]
    points, labels = np.array(example["features"]), np.array(example["labels"])
    moments = class_moments(labels, points, k=4, heads=1)
    mean = np.trace(moments.covariances, axis1=1, axis2=2).mean() / 2
    logs = log_densities(points, moments, example["ridge"] / mean)
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(p, example["posterior"], atol=1e-9)
    assert p.argmax(axis=1).tolist() == example["suggested"]


@pytest.fixture(scope="module")
def tailed():
    """Three classes of 300, 200 and 15 samples in 12 dimensions, 12 % of the labels wrong."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [300, 200, 15])
    features = 3 + np.eye(3, 12)[truth] * 3 + rng.normal(size=(515, 12)) * 0.6
    labels, wrong = truth.copy(), rng.random(515) < 0.12
    labels[wrong] = np.array([1, 0, 0])[truth[wrong]]
    labels[[0, 1, 300, 500, 501]] = 2, 2, 2, 0, 1
    return features.astype(np.float32), labels, truth


def test_a_rare_class_is_judged_well_and_spared(tailed):
    features, labels, truth = tailed
    wrong = labels != truth
    found = class_gaussians(labels, features)
    assert roc_auc_score(wrong, found.suspicion) > 0.97
    rare = (truth == 2) | (labels == 2)
    assert roc_auc_score(wrong[rare], found.suspicion[rare]) > 0.9
    seen = wrong & found.flagged
    assert np.mean(found.suggested_labels[seen] == truth[seen]) > 0.95
    assert np.isnan(found.suggestion_confidence[~found.flagged]).all()
    assert (found.suggestion_confidence[found.flagged] > 1 / 3).all()
    by_counts = class_gaussians(labels, features, prior="counts")
    of_rare = labels == 2
    assert (by_counts.suspicion[of_rare] >= found.suspicion[of_rare]).all()
    assert by_counts.suspicion[of_rare].sum() > found.suspicion[of_rare].sum()


def test_without_borrowing_it_is_quadratic_discriminant_analysis(tailed):
    features, labels, _ = tailed
    rows = features.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    options = {"gamma": 0.0, "max_outlier_factor": 1e9, "dimensions": 12, "ridge": 1e-2}
    found = class_gaussians(labels, features, **options)
    parts = [rows[labels == k] for k in range(3)]
    ridge = 1e-2 * np.mean([part.var(axis=0, ddof=1).mean() for part in parts]) * np.eye(12)
    logs = np.stack(
        [multivariate_normal(x.mean(axis=0), np.cov(x.T) + ridge).logpdf(rows) for x in parts],
        axis=1,
    )
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.suspicion, 1 - p[np.arange(515), labels], atol=1e-9)
    assert class_gaussians(labels, features, **options | {"gamma": 0.3}, heads=0) == found


@pytest.mark.filterwarnings("ignore:.*outliers among its own")
def test_every_option_changes_the_result(tailed):
    features, labels, _ = tailed
    plain = class_gaussians(labels, features)
    for options in (
        {"prior": "counts"},
        {"dimensions": 3},
        {"max_outlier_factor": 1.2, "k": 4},
        {"max_outlier_factor": 1.2, "k": 40},
        {"heads": 1},
        {"gamma": 0.6},
        {"ridge": 0.1},
    ):
        found = class_gaussians(labels, features, **options)
        assert not np.array_equal(found.suspicion, plain.suspicion), options
        assert found == ClassGaussians(**options).detect(
            Dataset(ids=plain.ids, labels=labels, features=features)
        )
    first, second = ({"max_outlier_factor": 1.2, "k": k} for k in (4, 40))
    assert class_gaussians(labels, features, **first) != class_gaussians(labels, features, **second)


def test_scale_order_and_names_do_not_matter(tailed):
    features, labels, _ = tailed
    found = class_gaussians(labels, features)
    order, names = np.random.default_rng(1).permutation(515), np.array([2, 0, 1])
    other = class_gaussians(names[labels[order]], 8 * features[order])
    np.testing.assert_allclose(other.suspicion, found.suspicion[order], atol=1e-8)
    np.testing.assert_array_equal(other.flagged, found.flagged[order])


def test_few_samples_of_many_dimensions():
    """Of 20 samples a class, in 200 dimensions, no more than two dimensions are looked at."""
    rng = np.random.default_rng(2)
    truth = np.arange(60) % 3
    features = 3 + 4 * np.eye(3, 200)[truth] + 0.5 * rng.normal(size=(60, 200))
    labels = np.where(np.arange(60) < 6, (truth + 1) % 3, truth)
    found = class_gaussians(labels, features)
    assert roc_auc_score(labels != truth, found.suspicion) > 0.95
    assert class_gaussians(labels, features, dimensions=2) == found


def test_edges():
    rng = np.random.default_rng(3)
    two = np.repeat([0, 1], [30, 1])  # a class of one sample, which has no covariance of its own
    found = class_gaussians(two, rng.normal(size=(31, 4)), gamma=0.0)
    assert np.isfinite(found.suspicion).all() and not found.flagged[30]
    same = class_gaussians(np.zeros(5, int), np.ones((5, 3)))  # one class, and no variance at all
    assert not same.flagged.any() and not same.suspicion.any()
    gap = class_gaussians(np.array([0, 2] * 10), rng.normal(size=(20, 2)))
    assert set(gap.suggested_labels) <= {-1, 0, 2}


def test_a_class_of_many_outliers_is_told():
    points = np.random.default_rng(4).normal(size=(200, 2)) * 0.01 + 1
    points[:40] += np.array([[0.2, 0]]) * np.arange(40)[:, None]
    with pytest.warns(UserWarning, match="of the samples of class 0 are outliers among its own"):
        class_gaussians(np.repeat([0, 1], 100), points, max_outlier_factor=1.05)


def test_wrong_input_is_refused(tailed):
    features, labels, _ = tailed
    broken = features.copy()
    broken[7, 3] = np.nan
    for arrays, options, message in (
        ((labels, broken), {}, "features: row 7 is not finite (NaN or infinity)"),
        ((labels[:9], features), {}, "features have 515 rows but there are 9 labels"),
        ((labels, features), {"gamma": 2.0}, "gamma: Input should be less than or equal to 1"),
        (([], features[:0]), {}, "labels: expected at least one sample, got none"),
    ):
        with pytest.raises(InputError) as raised:
            class_gaussians(*arrays, **options)
        assert message in str(raised.value)
