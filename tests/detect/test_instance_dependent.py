import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_detect.simulators.instance_dependent import (
    InstanceDependentNoise,
    flip_rates,
    instance_rows,
)


@pytest.fixture(scope="module")
def dataset():
    random = np.random.default_rng(0)
    return Dataset(
        labels=np.arange(20_000) % 5,
        features=random.normal(size=(20_000, 8)).astype(np.float32),
    )


def test_rows_of_the_worked_example(vectors):
    example = vectors["part_dependent_noise"]
    x, W = np.array(example["x"]), np.array(example["W"])
    for n, label in enumerate(example["y"]):
        row = instance_rows(x[n : n + 1], label, W[label], np.array(example["q"])[n : n + 1])
        np.testing.assert_allclose(row[0], example["rows"][n], atol=1e-12)


def test_rates_have_the_mean_of_the_cut_normal_distribution(vectors):
    uniform = (np.arange(100_000) + 0.5) / 100_000
    for rate, mean in vectors["noise_matrices"]["truncnorm_mean_sd01"].items():
        rates = flip_rates(uniform, float(rate))
        assert rates.mean() == pytest.approx(mean, abs=1e-4)
        assert rates.min() >= 0
        assert rates.max() <= 1


def test_as_many_are_wrong_as_asked_for(dataset):
    corruption = InstanceDependentNoise(rate=0.3).corrupt(dataset)
    assert corruption.mask.mean() == pytest.approx(0.3004, abs=5 * np.sqrt(0.21 / 20_000))
    assert corruption.transition is None


def test_similar_samples_are_mistaken_for_the_same_class(dataset):
    """Wrong labels of one class go where the features point; of a symmetric noise they do not."""
    corruption = InstanceDependentNoise(rate=0.4).corrupt(dataset)
    wrong = (dataset.labels == 0) & corruption.mask
    features, labels = dataset.features[wrong], corruption.labels[wrong]
    centers = np.stack([features[labels == k].mean(axis=0) for k in range(1, 5)])
    chance = 1 / np.sqrt(np.bincount(labels, minlength=5)[1:].min())
    assert np.abs(centers).max() > 5 * chance


def test_the_scale_of_features_does_not_matter(dataset):
    large = dataset.replace(features=dataset.features * 255 + 10)
    one, other = (InstanceDependentNoise().corrupt(d).labels for d in (dataset, large))
    assert (one != other).mean() < 1e-3


def test_chunks_change_nothing(dataset, monkeypatch):
    whole = InstanceDependentNoise().corrupt(dataset)
    monkeypatch.setattr("adc_core.arrays.validation.CHUNK_BYTES", 3000)
    assert (InstanceDependentNoise().corrupt(dataset).labels == whole.labels).mean() > 0.9999


def test_a_feature_that_never_changes_is_harmless(dataset):
    features = dataset.features.copy()
    features[:, 3] = 7
    labels = InstanceDependentNoise().corrupt(dataset.replace(features=features)).labels
    assert labels.min() >= 0
    assert labels.max() < 5


def test_features_are_needed():
    with pytest.raises(InputError) as raised:
        InstanceDependentNoise().corrupt(Dataset(labels=[0, 1]))
    assert str(raised.value) == 'the dataset has no column "features": an encoder adds it'
