import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from adc_core.arrays import stratified_folds
from adc_core.components.context import work_context
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_detect.enrichers.linear_probe import LinearProbe, linear_probe


def test_each_fold_is_predicted_by_a_model_of_the_others(planted):
    values = linear_probe(planted.labels, planted.features, folds=4, C=0.1, seed=3).values
    fold = stratified_folds(planted.labels, 4, 3)
    for number in range(4):
        seen, unseen = fold != number, fold == number
        scaler = StandardScaler().fit(planted.features[seen])
        model = LogisticRegression(C=0.1, max_iter=1000)
        model.fit(scaler.transform(planted.features[seen]), planted.labels[seen])
        expected = model.predict_proba(scaler.transform(planted.features[unseen]))
        np.testing.assert_allclose(values[unseen], expected, rtol=0, atol=1e-6)


def test_predicts_the_truth_rather_than_the_labels(planted):
    probabilities = linear_probe(planted.labels, planted.features)
    assert probabilities.origin == "out of sample"
    assert (probabilities.values.argmax(axis=1) == planted.truth).mean() > 0.99


def test_folds_hold_equal_shares_of_every_class():
    labels = np.repeat([0, 1, 2, 3], [50, 23, 7, 2])
    fold = stratified_folds(labels, 5, 0)
    table = np.zeros((4, 5), int)
    np.add.at(table, (labels, fold), 1)
    assert (np.ptp(table, axis=1) <= 1).all()
    assert np.ptp(table.sum(axis=0)) <= 1
    assert (stratified_folds(labels, 5, 1) != fold).any()


def test_a_single_sample_of_a_class_is_sure_of_its_label(planted):
    labels = planted.labels.copy()
    labels[10] = 4
    values = linear_probe(labels, planted.features).values
    assert values[10].tolist() == [0, 0, 0, 0, 1]
    assert values.shape == (2000, 5)
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-6)


def test_a_class_without_samples_has_no_probability(planted):
    values = linear_probe(planted.labels, planted.features, n_classes=6).values
    assert values.shape == (2000, 6)
    assert (values[:, 4:] == 0).all()


def test_more_folds_than_samples():
    features = np.array([[0.0], [0.1], [1.0], [1.1]])
    values = linear_probe([0, 0, 1, 1], features, folds=9, C=10).values
    assert values.argmax(axis=1).tolist() == [0, 0, 1, 1]


def test_the_seed_decides_and_threads_do_not(planted):
    first = linear_probe(planted.labels, planted.features, seed=1)
    with threadpool_limits(1):
        assert linear_probe(planted.labels, planted.features, seed=1) == first
    assert linear_probe(planted.labels, planted.features, seed=2) != first


def test_memory_maps(planted, tmp_path):
    features = planted.features.astype(np.float32)
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    assert linear_probe(planted.labels, mapped) == linear_probe(planted.labels, features)


def test_constant_features_say_nothing():
    values = linear_probe([0, 1] * 10, np.ones((20, 3))).values
    np.testing.assert_allclose(values, 0.5, atol=0.1)


def test_labels_of_one_class_are_refused():
    with pytest.raises(InputError) as raised:
        linear_probe([1, 1, 1], np.eye(3))
    assert str(raised.value) == ("all 3 samples are labelled 1: a probe needs at least two classes")


def test_component_adds_probabilities_fold_by_fold(planted, tmp_path):
    dataset = Dataset(labels=planted.labels, features=planted.features.astype(np.float32))
    heard = []
    with work_context(tmp_path, lambda *progress: heard.append(progress)):
        enriched = LinearProbe(folds=3, seed=5).enrich(dataset)
    assert enriched.probabilities == linear_probe(planted.labels, dataset.features, folds=3, seed=5)
    assert heard == [(1, 3, "fold"), (2, 3, "fold"), (3, 3, "fold")]
