import warnings
from typing import get_args

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Probabilities
from adc_plugins_detect.detectors import confident_learning as module
from adc_plugins_detect.detectors.confident_learning import (
    ConfidentLearning,
    Rule,
    Score,
    confident_learning,
    quality_scores,
)
from adc_plugins_detect.enrichers.linear_probe import linear_probe

RULES = get_args(Rule)
PRUNING = ("prune_by_noise_rate", "prune_by_class", "both")
SCORES = get_args(Score)
SECTIONS = [
    "confident_learning",
    "confident_learning_rules_differ",
    "confident_learning_missing_class",
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("section", SECTIONS)
def test_worked_examples(vectors, section, rule):
    example = vectors[section]
    findings = confident_learning(example["labels"], np.array(example["pred_probs"]), rule=rule)
    assert np.flatnonzero(findings.flagged).tolist() == example["flags"][rule]


@pytest.mark.parametrize("rule", PRUNING)
def test_half_of_the_noise(vectors, rule):
    example = vectors["confident_learning_rules_differ"]
    findings = confident_learning(
        example["labels"], np.array(example["pred_probs"]), rule=rule, frac_noise=0.5
    )
    assert np.flatnonzero(findings.flagged).tolist() == example["flags_frac_noise_half"][rule]


@pytest.mark.parametrize("score", SCORES)
def test_scores_of_the_worked_example(vectors, score):
    example = vectors["confident_learning"]
    findings = confident_learning(example["labels"], np.array(example["pred_probs"]), score=score)
    np.testing.assert_allclose(1 - findings.suspicion, example[score], atol=1e-9)


def test_adjusted_scores_and_order_of_the_worked_example(vectors):
    example = vectors["confident_learning"]
    labels, probabilities = example["labels"], np.array(example["pred_probs"])
    findings = confident_learning(labels, probabilities, adjust_probabilities=True)
    expected = example["self_confidence_adjusted"]
    np.testing.assert_allclose(1 - findings.suspicion, expected, atol=1e-9)
    findings = confident_learning(labels, probabilities)
    order = np.argsort(-findings.suspicion, kind="stable")
    ranked = order[findings.flagged[order]]
    assert ranked.tolist() == example["ranked_by_self_confidence"]
    np.testing.assert_allclose(findings.transition.T, example["noise_matrix"], atol=1e-12)
    assert findings.noise_rate == pytest.approx(4 / 16)


def test_suggests_what_is_predicted_otherwise(vectors):
    example = vectors["confident_learning"]
    probabilities = np.array(example["pred_probs"])
    findings = confident_learning(example["labels"], probabilities)
    predicted = probabilities.argmax(axis=1)
    differs = predicted != example["labels"]
    np.testing.assert_array_equal(findings.suggested_labels, np.where(differs, predicted, -1))
    np.testing.assert_array_equal(
        findings.suggestion_confidence, np.where(differs, probabilities.max(axis=1), np.nan)
    )


# --- side by side with cleanlab -------------------------------------------------------------


@pytest.fixture
def cleanlab(monkeypatch):
    """Its functions, with equals in their order: numpy's own order of equals is arbitrary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("cleanlab", reason="cleanlab, the oracle, is not installed")
        import cleanlab.count
        import cleanlab.filter
        import cleanlab.rank
    argsort = np.argsort
    monkeypatch.setattr(
        np, "argsort", lambda a, *args, **kw: argsort(a, *args, **{"kind": "stable"} | kw)
    )
    return cleanlab


def problem(seed, n_classes=None):
    """Labels and probabilities of many shapes, with ties, rare and absent classes."""
    random = np.random.default_rng(seed)
    K = n_classes or int(random.choice([2, 3, 4, 5, 8, 12, 20, 60]))
    rows = int(random.choice([8, 20, 50, 200, 1000]))
    probabilities = random.dirichlet(np.full(K, random.choice([0.05, 0.3, 1, 5])), rows)
    if random.random() < 0.3:
        probabilities = np.round(probabilities * 20) + 1e-3
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    if random.random() < 0.3:
        probabilities = np.eye(K)[probabilities.argmax(axis=1)]
    labels = random.integers(0, max(2, K // 2), rows)
    follow = random.random(rows) < 0.7
    labels[follow] = (probabilities.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)[follow]
    labels = labels.clip(max=K - 1)
    labels[:2] = 0, 1
    return labels, probabilities


def by_cleanlab(cleanlab, labels, probabilities, **options):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="May not flag all label issues")
        return cleanlab.filter.find_label_issues(labels, probabilities, n_jobs=1, **options)


@pytest.mark.parametrize("rule", RULES)
def test_flags_what_cleanlab_flags(cleanlab, rule):
    for seed in range(60):
        labels, probabilities = problem(seed)
        options = {"min_examples_per_class": [1, 0, 3, 10][seed % 4]}
        if rule in PRUNING:
            options["frac_noise"] = [1.0, 0.5, 0.3][seed % 3]
        expected = by_cleanlab(cleanlab, labels, probabilities, filter_by=rule, **options)
        findings = confident_learning(labels, probabilities, rule=rule, **options)
        np.testing.assert_array_equal(findings.flagged, expected, err_msg=f"problem {seed}")


@pytest.mark.parametrize("n_classes", [300, 1000])
def test_flags_what_cleanlab_flags_of_many_classes(cleanlab, n_classes):
    for seed in range(2):
        labels, probabilities = problem(seed, n_classes)
        for rule in ("prune_by_noise_rate", "prune_by_class", "confident_learning"):
            expected = by_cleanlab(cleanlab, labels, probabilities, filter_by=rule)
            findings = confident_learning(labels, probabilities, rule=rule)
            np.testing.assert_array_equal(findings.flagged, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_other_precisions_are_taken_for_what_they_are(cleanlab, dtype):
    for seed in range(20):
        labels, probabilities = problem(seed)
        probabilities = probabilities.astype(dtype)
        exact = probabilities.astype(np.float64)
        for rule in RULES:
            expected = by_cleanlab(cleanlab, labels, exact, filter_by=rule)
            findings = confident_learning(labels, probabilities, rule=rule)
            np.testing.assert_array_equal(findings.flagged, expected, err_msg=f"{rule} {seed}")


@pytest.mark.parametrize(
    ("score", "adjust"),
    [(score, False) for score in SCORES] + [(score, True) for score in SCORES[:2]],
)
def test_scores_as_cleanlab_scores(cleanlab, score, adjust):
    for seed in range(40):
        labels, probabilities = problem(seed)
        expected = cleanlab.rank.get_label_quality_scores(
            labels, probabilities, method=score, adjust_pred_probs=adjust
        )
        findings = confident_learning(
            labels, probabilities, score=score, adjust_probabilities=adjust
        )
        np.testing.assert_allclose(1 - findings.suspicion, expected, atol=1e-12)


def test_estimates_what_cleanlab_estimates(cleanlab):
    for seed in range(40):
        labels, probabilities = problem(seed)
        joint = cleanlab.count.estimate_joint(labels, probabilities)
        findings = confident_learning(labels, probabilities)
        assert findings.noise_rate == pytest.approx(1 - joint.trace(), abs=1e-12)
        counted = joint.sum(axis=0) > 0
        expected = (joint.T / joint.sum(axis=0).clip(1e-100)[:, None])[counted]
        np.testing.assert_allclose(findings.transition[counted], expected, atol=1e-12)


# --- identities -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def probed(planted):
    return linear_probe(planted.labels, planted.features).values.astype(np.float64)


def test_finds_planted_noise(planted, probed):
    for rule in RULES:
        flagged = confident_learning(planted.labels, probed, rule=rule).flagged
        f1 = 2 * (planted.wrong & flagged).sum() / (planted.wrong.sum() + flagged.sum())
        assert f1 > 0.95, rule


def test_confident_and_right_predictions_flag_nothing(planted):
    probabilities = 0.9 * np.eye(4)[planted.truth] + 0.025
    for rule in RULES:
        assert not confident_learning(planted.truth, probabilities, rule=rule).flagged.any(), rule


def test_what_both_flag_each_flags():
    for seed in range(30):
        labels, probabilities = problem(seed)
        both, one, other = (
            confident_learning(labels, probabilities, rule=rule).flagged
            for rule in ("both", "prune_by_class", "prune_by_noise_rate")
        )
        np.testing.assert_array_equal(both, one & other)


@pytest.mark.parametrize("rule", RULES)
def test_other_order_same_findings(planted, probed, rule):
    order = np.random.default_rng(1).permutation(2000)
    findings = confident_learning(planted.labels, probed, rule=rule)
    permuted = confident_learning(planted.labels[order], probed[order], rule=rule)
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])
    np.testing.assert_array_equal(permuted.suspicion, findings.suspicion[order])
    np.testing.assert_allclose(permuted.transition, findings.transition, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_other_class_names_same_findings(planted, probed, rule):
    names = np.array([2, 0, 3, 1])
    findings = confident_learning(planted.labels, probed, rule=rule)
    renamed = confident_learning(names[planted.labels], probed[:, np.argsort(names)], rule=rule)
    np.testing.assert_array_equal(renamed.flagged, findings.flagged)
    np.testing.assert_array_equal(renamed.suspicion, findings.suspicion)
    np.testing.assert_allclose(
        renamed.transition[np.ix_(names, names)], findings.transition, atol=1e-12
    )


def test_the_same_data_twice_have_the_same_noise(planted, probed):
    once = confident_learning(planted.labels, probed)
    twice = confident_learning(np.tile(planted.labels, 2), np.tile(probed, (2, 1)))
    # Rounding the joint to whole samples may move one sample of each class.
    assert twice.noise_rate == pytest.approx(once.noise_rate, abs=4 / 2000)
    np.testing.assert_array_equal(twice.suspicion, np.tile(once.suspicion, 2))


def test_equal_probabilities_flag_nothing():
    labels = np.arange(40) % 4
    findings = confident_learning(labels, np.full((40, 4), 0.25))
    assert not findings.flagged.any()


def test_threads_memory_maps_and_inputs(planted, probed, tmp_path):
    np.save(tmp_path / "probabilities.npy", probed)
    mapped = np.load(tmp_path / "probabilities.npy", mmap_mode="r")
    labels = planted.labels.copy()
    labels.flags.writeable = False
    with threadpool_limits(1):
        findings = confident_learning(labels, mapped, score="normalized_margin")
    plain = confident_learning(planted.labels, probed, score="normalized_margin")
    assert findings == plain
    columns_first = np.asfortranarray(probed)
    assert confident_learning(labels, columns_first, score="normalized_margin") == plain


def test_scores_in_chunks_are_the_same(planted, probed, monkeypatch):
    whole = quality_scores(planted.labels, probed, "confidence_weighted_entropy")
    monkeypatch.setattr(module, "_CHUNK_ENTRIES", 37)
    chunked = quality_scores(planted.labels, probed, "confidence_weighted_entropy")
    np.testing.assert_array_equal(chunked, whole)


def test_so_many_classes_have_no_transition_matrix(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_TRANSITION", 59)
    labels, probabilities = problem(0, 60)
    findings = confident_learning(labels, probabilities)
    assert findings.transition is None
    assert findings.noise_rate > 0


def test_bad_input_is_named(planted, probed):
    cases = [
        (
            lambda: confident_learning(planted.labels, probed[:5]),
            "probabilities have 5 rows but there are 2000 labels: give one row per sample",
        ),
        (
            lambda: confident_learning(planted.labels, probed[:, :3]),
            f"labels: row {int((planted.labels == 3).argmax())} is 3, expected 0…2",
        ),
        (
            lambda: confident_learning([0, 1], [1, 0]),
            "probabilities: expected a matrix of N samples × K classes, got int64 (2,)",
        ),
        (
            lambda: confident_learning(
                planted.labels,
                probed,
                score="confidence_weighted_entropy",
                adjust_probabilities=True,
            ),
            "adjust_probabilities does not suit the score confidence_weighted_entropy",
        ),
    ]
    for call, message in cases:
        with pytest.raises(InputError) as raised:
            call()
        assert str(raised.value) == message


def test_component_reads_out_of_sample_probabilities(planted, probed):
    single = probed.astype(np.float32)
    dataset = Dataset(labels=planted.labels, probabilities=single, classes=("a", "b", "c", "d"))
    detector = ConfidentLearning(rule="both", score="normalized_margin", frac_noise=0.9)
    expected = confident_learning(
        planted.labels, single, rule="both", score="normalized_margin", frac_noise=0.9
    )
    assert detector.detect(dataset) == expected


def test_component_refuses_in_sample_probabilities(planted, probed):
    probabilities = Probabilities(values=probed, origin="in sample")
    dataset = Dataset(labels=planted.labels, probabilities=probabilities)
    with pytest.raises(InputError) as raised:
        ConfidentLearning().detect(dataset)
    assert str(raised.value) == (
        "the probabilities are in sample, and a model agrees with the wrong labels that it has "
        "seen: use out-of-sample ones, or set allow_in_sample"
    )
    assert ConfidentLearning(allow_in_sample=True).detect(dataset).flagged.any()
