import builtins

import numpy as np
import pytest

from adc_core import Dataset, InputError
from adc_plugins_detect import LinearProbe
from adc_plugins_detect.resampling.oversample import oversample

pytest.importorskip("imblearn", reason="needs imbalanced-learn")

RULES = ("random", "smote", "borderline-smote", "adasyn")


@pytest.fixture
def tailed():
    """Two classes that overlap, one of 60 and one of 9 rows, and one row of a third."""
    rng = np.random.default_rng(0)
    features = np.concatenate(
        [rng.normal(0, 1, (60, 4)), rng.normal(1, 1, (9, 4)), rng.normal(-4, 1, (1, 4))]
    ).astype(np.float32)
    return features, np.array([0] * 60 + [1] * 9 + [2])


@pytest.mark.parametrize("rule", RULES)
def test_classes_become_about_as_large_as_the_largest(tailed, rule):
    features, labels = oversample(*tailed, rule, seed=0)
    counts = np.bincount(labels)
    assert counts[0] == 60 and counts[2] == 60
    # ADASYN rounds what each row is to be given.
    assert abs(counts[1] - 60) <= (9 if rule == "adasyn" else 0)
    np.testing.assert_array_equal(features[:70], tailed[0])
    assert features.dtype == np.float32


@pytest.mark.parametrize("rule", RULES)
def test_rows_of_a_class_lie_between_its_own(tailed, rule):
    features, labels = oversample(*tailed, rule, seed=0)
    own, added = tailed[0][tailed[1] == 1], features[70:][labels[70:] == 1]
    # On a line between two of them: the shortest detour over any pair is no detour.
    to = np.linalg.norm(added[:, None] - own[None], axis=2)
    between = np.linalg.norm(own[:, None] - own[None], axis=2)
    detour = (to[:, :, None] + to[:, None, :] - between).min(axis=(1, 2))
    assert detour.max() < 1e-4


def test_the_only_row_of_a_class_is_repeated(tailed):
    features, labels = oversample(*tailed, "smote", seed=0)
    assert (features[labels == 2] == tailed[0][69]).all()


@pytest.mark.parametrize("rule", ["borderline-smote", "adasyn"])
def test_a_class_far_from_the_others_has_no_border_and_is_grown_by_smote(rule):
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 1, (30, 2)), rng.normal(50, 1, (8, 2))])
    labels = np.array([0] * 30 + [1] * 8)
    expected = oversample(features, labels, "smote", seed=1)
    for got, wanted in zip(oversample(features, labels, rule, seed=1), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_the_seed_decides(tailed):
    first = oversample(*tailed, "smote", seed=0)[0]
    np.testing.assert_array_equal(oversample(*tailed, "smote", seed=0)[0], first)
    assert not np.array_equal(oversample(*tailed, "smote", seed=1)[0], first)


def test_equal_classes_stay_as_they_are(tailed):
    features, labels = oversample(tailed[0][:20], np.repeat([0, 1], 10), "smote", seed=0)
    assert len(features) == len(labels) == 20


def test_a_probe_taught_equal_classes_believes_more_in_the_rare(tailed):
    keep = tailed[1] < 2
    dataset = Dataset(labels=tailed[1][keep], features=tailed[0][keep])
    plain = LinearProbe(C=1).enrich(dataset).probabilities.values
    grown = LinearProbe(C=1, oversampling="smote").enrich(dataset).probabilities.values
    rare = dataset.labels == 1
    assert grown[rare, 1].mean() > plain[rare, 1].mean() + 0.2


def test_what_is_missing_is_named(tailed, monkeypatch):
    load = builtins.__import__

    def without(name, *rest):
        if name.startswith("imblearn"):
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"adc-plugins-detect\[resampling\]"):
        oversample(*tailed, "smote", seed=0)
