import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Probabilities
from adc_plugins_detect.detectors.cores import Cores, cores
from adc_plugins_detect.enrichers.linear_probe import linear_probe
from adc_plugins_detect.scoring import softsign_to_unit


@pytest.fixture(scope="module")
def probed(planted):
    return linear_probe(planted.labels, planted.features).values


def softmax(logits):
    powers = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def scores_of(findings):
    """The score that was squashed."""
    centered = 2 * findings.suspicion - 1
    return centered / (1 - np.abs(centered))


@pytest.mark.parametrize("kind", ["logits", "probabilities"])
def test_worked_example(vectors, kind):
    example = vectors["cores"]
    evidence = np.array(example["logits"])
    if kind == "probabilities":
        evidence = softmax(evidence)
    findings = cores(example["labels"], evidence, kind=kind)
    np.testing.assert_allclose(scores_of(findings), example["score"], atol=1e-9)
    assert findings.flagged.tolist() == example["flag_noisy"]
    expected = np.where(findings.flagged, evidence.argmax(axis=1), -1)
    np.testing.assert_array_equal(findings.suggested_labels, expected)
    share = softmax(np.array(example["logits"])).max(axis=1)
    expected = np.where(findings.flagged, share, np.nan)
    np.testing.assert_allclose(findings.suggestion_confidence, expected, atol=1e-12)
    assert findings.noise_rate == 0.4


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 30), K=st.integers(2, 9))
def test_identities(seed, rows, K):
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (rows, K))
    labels = random.integers(0, K, rows)
    every = [cores(np.full(rows, k), logits, kind="logits") for k in range(K)]
    np.testing.assert_allclose(sum(scores_of(one) for one in every), 0, atol=1e-9)
    assert not np.all([one.flagged for one in every], axis=0).any()
    findings = cores(labels, logits, kind="logits")
    shifted = cores(labels, logits + random.normal(size=(rows, 1)), kind="logits")
    np.testing.assert_allclose(shifted.suspicion, findings.suspicion, atol=1e-9)
    scaled = cores(labels, 4 * logits, kind="logits")
    np.testing.assert_array_equal(scaled.flagged, findings.flagged)
    mean = logits.mean(axis=1)
    expected = softsign_to_unit(mean - logits[np.arange(rows), labels])
    np.testing.assert_allclose(findings.suspicion, expected, atol=1e-12)


def test_of_two_classes_it_is_the_sign_of_the_margin():
    logits = np.random.default_rng(0).normal(size=(100, 2))
    findings = cores(np.zeros(100, int), logits, kind="logits")
    np.testing.assert_array_equal(findings.flagged, logits[:, 1] > logits[:, 0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("K", [3, 7, 49])
def test_uniform_probabilities_are_a_tie_and_clean(K, dtype):
    findings = cores(np.arange(K), np.full((K, K), 1 / K, dtype))
    assert not findings.flagged.any()
    assert (findings.suspicion == 0.5).all()


def test_zeros_are_small_probabilities():
    findings = cores([0, 1, 2], [[0.9, 0.1, 0], [0, 1, 0], [1, 0, 0]])
    assert findings.flagged.tolist() == [False, False, True]


def test_ranks_planted_noise_and_is_cautious(planted, probed):
    findings = cores(planted.labels, probed)
    assert planted.wrong[findings.flagged].mean() > 0.99
    worse = findings.suspicion[planted.wrong][:, None] > findings.suspicion[~planted.wrong]
    assert worse.mean() > 0.99


def test_order_and_names_do_not_matter(planted, probed):
    order, names = np.random.default_rng(1).permutation(2000), np.array([2, 0, 3, 1])
    findings = cores(planted.labels, probed)
    permuted = cores(names[planted.labels[order]], probed[order][:, np.argsort(names)])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])
    np.testing.assert_allclose(permuted.suspicion, findings.suspicion[order], atol=1e-12)


def test_memory_maps_and_inputs(planted, probed, tmp_path):
    np.save(tmp_path / "probabilities.npy", probed)
    mapped = np.load(tmp_path / "probabilities.npy", mmap_mode="r")
    labels = planted.labels.copy()
    labels.flags.writeable = False
    assert cores(labels, mapped) == cores(planted.labels, probed)


@pytest.mark.parametrize(
    ("labels", "evidence", "kind", "message"),
    [
        (
            [0],
            [[1.0, 2.0], [0.0, 1.0]],
            "logits",
            "logits have 2 rows but there are 1 labels: give one row per sample",
        ),
        ([0], [[1.0, np.nan]], "logits", "logits: row 0 is not finite (NaN or infinity)"),
        (
            [0],
            [[1.0, 2.0]],
            "probabilities",
            "probabilities: row 0 is 1, 2 with sum 3: "
            "expected finite numbers in 0…1 that sum to one, as softmax gives",
        ),
        ([3], [[0.5, 0.5]], "probabilities", "labels: row 0 is 3, expected 0…1"),
    ],
)
def test_bad_input_is_named(labels, evidence, kind, message):
    with pytest.raises(InputError) as raised:
        cores(labels, evidence, kind=kind)
    assert str(raised.value) == message


@pytest.mark.parametrize("origin", ["in sample", "out of sample"])
def test_component_reads_probabilities_of_any_origin(planted, probed, origin):
    probabilities = Probabilities(values=probed, origin=origin)
    dataset = Dataset(labels=planted.labels, probabilities=probabilities)
    assert Cores().detect(dataset) == cores(planted.labels, probed)
