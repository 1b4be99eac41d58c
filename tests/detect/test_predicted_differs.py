import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Probabilities
from adc_plugins_detect.detectors.confident_learning import confident_learning
from adc_plugins_detect.detectors.predicted_differs import PredictedDiffers, predicted_differs
from adc_plugins_detect.enrichers.linear_probe import linear_probe

SECTIONS = [
    "confident_learning",
    "confident_learning_rules_differ",
    "confident_learning_missing_class",
]


@pytest.fixture(scope="module")
def probed(planted):
    return linear_probe(planted.labels, planted.features).values


@pytest.mark.parametrize("section", SECTIONS)
def test_worked_examples(vectors, section):
    example = vectors[section]
    findings = predicted_differs(example["labels"], np.array(example["pred_probs"]))
    expected = example["flags"]["predicted_neq_given"]
    assert np.flatnonzero(findings.flagged).tolist() == expected
    assert findings.noise_rate == len(expected) / len(example["labels"])


def test_suspicion_is_one_minus_self_confidence(vectors):
    example = vectors["confident_learning"]
    findings = predicted_differs(example["labels"], np.array(example["pred_probs"]))
    np.testing.assert_allclose(1 - findings.suspicion, example["self_confidence"], atol=1e-12)


def test_suggests_what_is_predicted(planted, probed):
    findings = predicted_differs(planted.labels, probed)
    predicted = probed.argmax(axis=1)
    differs = predicted != planted.labels
    np.testing.assert_array_equal(findings.suggested_labels, np.where(differs, predicted, -1))
    expected = np.where(differs, probed.max(axis=1), np.nan)
    np.testing.assert_array_equal(findings.suggestion_confidence, expected)
    f1 = 2 * (planted.wrong & findings.flagged).sum()
    assert f1 / (planted.wrong.sum() + findings.flagged.sum()) > 0.95


def test_ties_are_clean():
    findings = predicted_differs([0, 1, 2, 2], [[0.4, 0.4, 0.2]] * 3 + [[1 / 3] * 3])
    assert findings.flagged.tolist() == [False, False, True, False]
    assert findings.suggested_labels.tolist() == [-1, -1, 0, -1]


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 40),
    K=st.integers(2, 9),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_order_and_names_do_not_matter(seed, rows, K, dtype):
    random = np.random.default_rng(seed)
    labels = random.integers(0, K, rows)
    probabilities = random.dirichlet(np.ones(K), rows).astype(dtype)
    findings = predicted_differs(labels, probabilities)
    order, names = random.permutation(rows), random.permutation(K)
    permuted = predicted_differs(names[labels[order]], probabilities[order][:, np.argsort(names)])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])
    np.testing.assert_array_equal(permuted.suspicion, findings.suspicion[order])


def test_confident_learning_has_the_same_rule_and_suspicion(planted, probed):
    findings = predicted_differs(planted.labels, probed)
    same = confident_learning(planted.labels, probed, rule="predicted_neq_given")
    np.testing.assert_array_equal(findings.flagged, same.flagged)
    np.testing.assert_allclose(findings.suspicion, same.suspicion, atol=1e-7)


def test_memory_maps_and_inputs(planted, probed, tmp_path):
    np.save(tmp_path / "probabilities.npy", probed)
    mapped = np.load(tmp_path / "probabilities.npy", mmap_mode="r")
    labels = planted.labels.copy()
    labels.flags.writeable = False
    assert predicted_differs(labels, mapped) == predicted_differs(planted.labels, probed)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        (
            [0, 1],
            [[0.5, 0.5]],
            "probabilities have 1 rows but there are 2 labels: give one row per sample",
        ),
        ([0, 2], [[0.5, 0.5]] * 2, "labels: row 1 is 2, expected 0…1"),
        (
            [0, 1],
            [0.5, 0.5],
            "probabilities: expected a matrix of N samples × K classes, got float64 (2,)",
        ),
        (
            [0, 1],
            [[0.5, 0.5], [0.9, 0.9]],
            "probabilities: row 1 is 0.9, 0.9 with sum 1.8: "
            "expected finite numbers in 0…1 that sum to one, as softmax gives",
        ),
    ],
)
def test_bad_input_is_named(labels, probabilities, message):
    with pytest.raises(InputError) as raised:
        predicted_differs(labels, probabilities)
    assert str(raised.value) == message


def test_component_reads_out_of_sample_probabilities(planted, probed):
    dataset = Dataset(labels=planted.labels, probabilities=probed)
    assert PredictedDiffers().detect(dataset) == predicted_differs(planted.labels, probed)
    seen = dataset.replace(probabilities=Probabilities(values=probed, origin="in sample"))
    with pytest.raises(InputError) as raised:
        PredictedDiffers().detect(seen)
    assert str(raised.value) == (
        "the probabilities are in sample, and a model agrees with the wrong labels that it has "
        "seen: use out-of-sample ones, or set allow_in_sample"
    )
    assert PredictedDiffers(allow_in_sample=True).detect(seen).flagged.any()
