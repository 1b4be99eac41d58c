"""The ridge probe against models that are really fitted without each sample."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from adc_core.components.context import work_context
from adc_core.errors import InputError
from adc_core.images.sequence import ImageArray
from adc_core.records.dataset import Dataset
from adc_plugins_detect.encoders.patches import PatchEncoder
from adc_plugins_detect.enrichers import ridge_probe as module
from adc_plugins_detect.enrichers.ridge_probe import RidgeProbe, ridge_probe


def refitted(labels, features, penalty):
    """N × K scores, each row by a model that was fitted without it; on the same standard scale."""
    n, width = features.shape
    spread = features.std(axis=0)
    spread[spread == 0] = np.inf
    X = (features - features.mean(axis=0)) / spread / np.sqrt(width)
    Y = np.eye(labels.max() + 1)[labels]
    # The probe's penalty is per sample of the whole, so that a model of one fewer has the same.
    rows = [
        Ridge(alpha=penalty * n).fit(np.delete(X, row, 0), np.delete(Y, row, 0)).predict(X[[row]])
        for row in range(n)
    ]
    return np.concatenate(rows)


def most_likely(labels, features):
    """Probabilities of the penalty and the sharpness under which the labels are most likely."""
    best = None
    for penalty in module._PENALTIES:
        scores = refitted(labels, features, penalty)
        for sharpness in module._SHARPNESS:
            loss = -log_softmax(sharpness * scores, axis=1)[np.arange(len(labels)), labels].mean()
            if best is None or loss < best[0]:
                best = loss, softmax(sharpness * scores, axis=1)
    return best[1]


def tiny(rows, columns, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    features = random.normal(size=(rows, columns))
    features[np.arange(rows), labels % columns] += 1.5
    return labels, features


@pytest.mark.parametrize(("rows", "columns"), [(25, 4), (25, 60), (30, 30), (12, 2)])
def test_leaves_out_exactly_what_refitting_leaves_out(rows, columns):
    labels, features = tiny(rows, columns)
    values = ridge_probe(labels, features).values
    np.testing.assert_allclose(values, most_likely(labels, features), atol=1e-5)


def test_more_columns_than_are_kept_are_projected(monkeypatch):
    _, features = tiny(25, 40)
    monkeypatch.setattr(module, "_WIDEST", 10)
    projection = np.random.default_rng(0).standard_normal((40, 10)) / np.sqrt(10)
    X = (features - features.mean(axis=0)) / features.std(axis=0) / np.sqrt(40) @ projection
    axes = module._axes(features)
    np.testing.assert_allclose(axes.scores @ axes.scores.T, X @ X.T, atol=1e-10)
    np.testing.assert_allclose(axes.variances, (axes.scores**2).sum(axis=0), atol=1e-10)


def test_three_thousand_columns_tell_what_they_told_before():
    labels, features = tiny(90, 3000)
    features[:, :600] += 2 * (labels[:, None] == np.arange(600) % 3)
    probabilities = ridge_probe(labels, features.astype(np.float32))
    assert (probabilities.values.argmax(axis=1) == labels).mean() > 0.95
    assert probabilities == ridge_probe(labels, features.astype(np.float32))


def test_predicts_the_truth_rather_than_the_labels(planted):
    probabilities = ridge_probe(planted.labels, planted.features)
    assert probabilities.origin == "out of sample"
    assert probabilities.values.dtype == np.float32
    assert (probabilities.values.argmax(axis=1) == planted.truth).mean() > 0.99
    np.testing.assert_allclose(probabilities.values.sum(axis=1), 1, atol=1e-5)


def test_a_wrong_label_does_not_change_what_is_said_of_it(planted):
    """All else fixed, the probabilities of a sample come from the other labels alone."""
    labels, features = tiny(40, 5)
    sums = np.zeros((2, 40, 3))
    axes = module._axes(features)
    for number, own in enumerate((0, 2)):
        changed = labels.copy()
        changed[7] = own
        totals = np.stack([axes.scores[changed == k].sum(axis=0) for k in range(3)], axis=1)
        shares = np.bincount(changed) / 40
        sums[number] = module._left_out(axes, totals, shares, changed, 1e-2)
    np.testing.assert_allclose(sums[0, 7], sums[1, 7], atol=1e-12)
    assert not np.allclose(sums[0, 8], sums[1, 8], atol=1e-6)


def test_a_class_without_samples_has_no_probability(planted):
    values = ridge_probe(planted.labels, planted.features, n_classes=6).values
    assert values.shape == (2000, 6)
    assert (values[:, 4:] == 0).all()
    plain = ridge_probe(planted.labels, planted.features).values
    np.testing.assert_array_equal(values[:, :4], plain)
    apart = ridge_probe(np.array([0, 2, 5, 7])[planted.labels], planted.features).values
    np.testing.assert_array_equal(apart[:, [0, 2, 5, 7]], plain)
    assert not apart[:, [1, 3, 4, 6]].any()


def test_a_single_sample_of_a_class_is_sure_of_its_label(planted):
    labels = planted.labels.copy()
    labels[10] = 4
    values = ridge_probe(labels, planted.features).values
    assert values[10].tolist() == [0, 0, 0, 0, 1]
    assert values.shape == (2000, 5)


def test_constant_columns_say_nothing(planted):
    features = planted.features[:300]
    constant = np.full((300, 1), 1e6)
    plain = ridge_probe(planted.labels[:300], features)
    # Width counts in the scale of the penalty, so the same width is compared.
    first = ridge_probe(planted.labels[:300], np.hstack([features, constant]))
    second = ridge_probe(planted.labels[:300], np.hstack([features, 0 * constant]))
    np.testing.assert_allclose(first.values, second.values, atol=1e-6)
    np.testing.assert_array_equal(first.values.argmax(axis=1), plain.values.argmax(axis=1))
    values = ridge_probe([0, 1] * 10, np.ones((20, 3))).values
    np.testing.assert_allclose(values, 0.5, atol=0.03)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8])
def test_other_precisions_and_memory_maps(planted, dtype, tmp_path):
    features = (4 * planted.features[:200]).astype(dtype)
    exact = ridge_probe(planted.labels[:200], features.astype(np.float64)).values
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    found = ridge_probe(planted.labels[:200], mapped).values
    np.testing.assert_allclose(found, exact, atol=2e-3 if dtype == np.float16 else 1e-5)


def test_scale_of_a_column_and_order_of_samples_do_not_matter(planted):
    labels, features = planted.labels[:300], planted.features[:300]
    plain = ridge_probe(labels, features).values
    scaled = ridge_probe(labels, features * np.geomspace(1e-6, 1e6, 16) + 5).values
    np.testing.assert_allclose(scaled, plain, atol=1e-4)
    order = np.random.default_rng(1).permutation(300)
    np.testing.assert_allclose(
        ridge_probe(labels[order], features[order]).values, plain[order], atol=1e-5
    )


def test_threads_do_not_matter(planted):
    first = ridge_probe(planted.labels, planted.features)
    with threadpool_limits(1):
        assert ridge_probe(planted.labels, planted.features) == first


@pytest.mark.parametrize(
    ("labels", "features", "message"),
    [
        ([1, 1, 1], np.eye(3), "all 3 samples are labelled 1: a probe needs at least two classes"),
        (
            [0, 1],
            np.eye(3),
            "features have 3 rows but there are 2 labels: give one row per sample",
        ),
        (
            [0, 1],
            [[0.0], [np.inf]],
            "features: row 1 is not finite (NaN or infinity)",
        ),
    ],
)
def test_bad_input_is_named(labels, features, message):
    with pytest.raises(InputError) as raised:
        ridge_probe(labels, features)
    assert str(raised.value) == message


def test_component_tells_its_steps(planted, tmp_path):
    dataset = Dataset(labels=planted.labels, features=planted.features.astype(np.float32))
    heard = []
    with work_context(tmp_path, lambda *progress: heard.append(progress)):
        enriched = RidgeProbe().enrich(dataset)
    assert enriched.probabilities == ridge_probe(planted.labels, dataset.features)
    assert heard == [(1, 3, "step"), (2, 3, "step"), (3, 3, "step")]


def test_an_encoder_of_its_own_leaves_the_features_of_the_dataset_alone():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 12, 12, 3), dtype=np.uint8)
    dataset = Dataset(
        labels=np.arange(40) % 2, images=ImageArray(pixels), features=np.eye(40, dtype=np.float32)
    )
    encoder = PatchEncoder(image_size=12, filters=5, patch=4)
    probe = RidgeProbe(encoder=encoder)
    assert (RidgeProbe().required_columns, probe.required_columns) == (("features",), ("images",))
    enriched = probe.enrich(dataset)
    assert enriched.probabilities == ridge_probe(dataset.labels, encoder.encode(dataset.images))
    assert enriched.replace(probabilities=None) == dataset


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (RidgeProbe(), 'the dataset has no column "features": an encoder adds it'),
        (
            RidgeProbe(encoder=PatchEncoder()),
            'the dataset has no column "images": a collector adds it',
        ),
    ],
)
def test_what_it_reads_must_be_there(probe, message):
    with pytest.raises(InputError) as raised:
        probe.enrich(Dataset(labels=[0, 1]))
    assert str(raised.value) == message


def test_rare_classes_are_predicted_more_often_with_tau():
    """Two overlapping classes of 300 and 12, and a third without samples."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [300, 12])
    features = random.normal(size=(312, 5)) + 1.2 * labels[:, None]
    plain, half, whole = (
        ridge_probe(labels, features, n_classes=3, tau=tau).values for tau in (0, 0.5, 1)
    )
    odds = plain[:, 1] / plain[:, 0]
    np.testing.assert_allclose(half[:, 1] / half[:, 0], odds * np.sqrt(300 / 12), rtol=1e-4)
    np.testing.assert_allclose(whole[:, 1] / whole[:, 0], odds * 300 / 12, rtol=1e-4)
    assert (plain[:, 2] == 0).all()
    assert (half[:, 2] == 0).all()
    recall = [(values.argmax(axis=1) == 1)[labels == 1].mean() for values in (plain, half, whole)]
    assert recall[0] < recall[1] <= recall[2]


def test_equal_classes_are_as_they_were():
    labels, features = tiny(30, 4)
    plain, adjusted = (ridge_probe(labels, features, tau=tau).values for tau in (0, 1))
    np.testing.assert_allclose(adjusted, plain, atol=1e-6)


def test_the_component_passes_tau_on():
    labels, features = np.repeat([0, 1], [40, 4]), np.random.default_rng(0).normal(size=(44, 3))
    dataset = Dataset(labels=labels, features=features)
    found = RidgeProbe(tau=0.5).enrich(dataset).probabilities
    expected = ridge_probe(labels, dataset.features, n_classes=2, tau=0.5)
    np.testing.assert_array_equal(found.values, expected.values)
