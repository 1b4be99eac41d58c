"""The rules of imbalanced-learn as a curator."""

import sys

import numpy as np
import pytest

from adc_core import Dataset, InputError
from adc_plugins_detect import Undersample

RULES = ("tomek-links", "one-sided-selection", "neighborhood-cleaning")


@pytest.fixture(scope="module")
def dataset():
    """Three overlapping classes of 300, 100 and 20 samples."""
    pytest.importorskip("imblearn", reason="needs imbalanced-learn")
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [300, 100, 20])
    features = random.normal(size=(420, 8)) + 2 * np.eye(3, 8)[labels]
    order = random.permutation(420)
    return Dataset(labels=labels[order], features=features[order])


@pytest.mark.parametrize("rule", RULES)
def test_as_imbalanced_learn_on_features_of_unit_length(dataset, rule):
    from imblearn import under_sampling

    theirs = {
        "tomek-links": under_sampling.TomekLinks(),
        "one-sided-selection": under_sampling.OneSidedSelection(random_state=3),
        "neighborhood-cleaning": under_sampling.NeighbourhoodCleaningRule(),
    }[rule]
    unit = dataset.features / np.linalg.norm(dataset.features, axis=1, keepdims=True)
    theirs.fit_resample(unit, dataset.labels)
    left = Undersample(rule=rule, seed=3).curate(dataset, ()).dataset
    assert left.ids.tolist() == dataset.ids[np.sort(theirs.sample_indices_)].tolist()
    assert left.class_counts[2] == 20
    assert (left.class_counts[:2] < dataset.class_counts[:2]).all()


def test_tomek_links_by_hand():
    """Angles in degrees: samples 1 and 2 are each other's nearest, and of two classes."""
    pytest.importorskip("imblearn", reason="needs imbalanced-learn")
    angles = np.deg2rad([0, 10, 12, 40, 42, 60, 62])
    lengths = np.array([1, 9, 1, 1, 5, 1, 1])
    features = lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    curation = Undersample().curate(Dataset(labels=[0, 0, 1, 1, 1, 0, 0], features=features), ())
    assert curation.changes["id"].to_pylist() == ["1"]
    assert curation.changes["reason"].to_pylist() == [
        "tomek-links: its nearest neighbor, and it that one's, is of another label"
    ]


def test_the_seed_is_that_of_one_sided_selection(dataset):
    def ids(seed):
        return Undersample(rule="one-sided-selection", seed=seed).curate(dataset, ()).dataset.ids

    assert ids(0).tolist() == ids(0).tolist()
    assert ids(0).tolist() != ids(1).tolist()


def test_what_it_cannot_do(monkeypatch):
    features = np.ones((3, 2))
    with pytest.raises(InputError) as error:
        Undersample().curate(Dataset(labels=[0, 0, 0], classes=("a", "b"), features=features), ())
    assert str(error.value) == "undersample compares labels, but all samples have the same one"
    monkeypatch.setitem(sys.modules, "imblearn", None)
    with pytest.raises(InputError) as error:
        Undersample().curate(Dataset(labels=[0, 1, 0], features=features), ())
    assert str(error.value) == (
        "undersample needs imbalanced-learn: pip install 'adc-plugins-detect[resampling]'"
    )
