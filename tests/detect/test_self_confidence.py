"""Self-confidence: as many flags as the noise rate says, and how many of them are right."""

import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Neighbors, Probabilities
from adc_core.runs.stage_formats import FINDINGS
from adc_plugins_detect.detectors import self_confidence as module
from adc_plugins_detect.detectors.self_confidence import SelfConfidence, self_confidence
from adc_plugins_detect.noise.counterfactual import Counterfactual
from adc_plugins_detect.noise.quality import evidence_quality
from adc_plugins_detect.noise.rate import noise_rate

KINDS = [("uniform", 0.05), ("uniform", 0.2), ("pairs", 0.1)]


@pytest.mark.parametrize(("kind", "share"), KINDS)
def test_flags_the_least_probable_labels_as_many_as_are_wrong(digits, kind, share):
    problem = digits(kind, share)
    labels, values = problem.labels, problem.probabilities
    found = self_confidence(labels, values)
    rate = noise_rate(labels, probabilities=values)
    assert found.noise_range == rate and found.noise_rate == rate.point
    own = values[np.arange(len(labels)), labels]
    np.testing.assert_allclose(found.suspicion, 1 - own, atol=1e-7)
    assert found.flagged.sum() == round(rate.point * len(labels))
    predicted = values.argmax(axis=1)
    assert (predicted != labels)[found.flagged].all()
    rest = ~found.flagged & (predicted != labels)
    assert found.suspicion[found.flagged].min() >= found.suspicion[rest].max()
    assert found.evidence == evidence_quality(labels, Counterfactual(labels, values))


@pytest.mark.parametrize(("kind", "share"), [*KINDS, ("pairs", 0.05), ("swallowing", 0.05)])
def test_the_range_of_the_precision_holds_the_real_one(digits, kind, share):
    problem = digits(kind, share)
    found = self_confidence(problem.labels, problem.probabilities)
    real = problem.wrong[found.flagged].mean()
    assert found.precision.low <= real <= found.precision.high
    assert found.precision.point == pytest.approx(real, abs=0.2)
    assert real > 0.7


def test_suggests_what_is_predicted(digits):
    problem = digits("uniform", 0.05)
    found = self_confidence(problem.labels, problem.probabilities)
    predicted = problem.probabilities.argmax(axis=1)
    differs = predicted != problem.labels
    np.testing.assert_array_equal(found.suggested_labels, np.where(differs, predicted, -1))
    expected = np.where(differs, problem.probabilities.max(axis=1), np.nan)
    np.testing.assert_array_equal(found.suggestion_confidence, expected)


def test_a_predicted_label_is_never_flagged():
    """Three samples in four differ, but of the least probable labels many are the predicted."""
    random = np.random.default_rng(0)
    values = random.dirichlet(np.ones(8) * 3, 800)
    labels = np.where(random.random(800) < 0.3, values.argmax(axis=1), values.argmin(axis=1))
    found = self_confidence(labels, values)
    assert 0 < found.flagged.sum() <= round(found.noise_rate * 800)
    assert not (found.flagged & (values.argmax(axis=1) == labels)).any()


def test_right_labels_have_no_flags_and_no_precision():
    labels = np.arange(300) % 3
    found = self_confidence(labels, 0.9 * np.eye(3)[labels] + 1 / 30)
    assert not found.flagged.any()
    assert (found.precision, found.noise_rate) == (None, 0)


def swallowed():
    """Class 3 has swallowed half of its neighbors' samples; the others are right."""
    random = np.random.default_rng(0)
    truth = np.repeat(np.arange(4), 500)
    labels = np.where((truth < 3) & (random.random(2000) < 0.2), 3, truth)
    return labels, truth


def test_where_one_class_swallows_others_its_labels_are_the_more_suspicious():
    labels, _ = swallowed()
    random = np.random.default_rng(1)
    suspicion = random.uniform(0.1, 0.6, 2000) + 0.3 * (labels == 3)
    adjusted = module._by_class(suspicion, labels, 300)
    worst = np.argsort(-suspicion)[:300]
    rates = [(np.isin(worst, np.flatnonzero(labels == k)).sum() + 10 * 0.15) / ((labels == k).sum() + 10) for k in range(4)]  # fmt: skip  # noqa: E501
    odds = np.array([(rate / (1 - rate)) / (0.15 / 0.85) for rate in rates])[labels]
    before = suspicion / (1 - suspicion)
    np.testing.assert_allclose(adjusted / (1 - adjusted), before * odds, rtol=1e-9)
    assert (adjusted[labels == 3] > suspicion[labels == 3]).all()
    for k in range(4):  # within a class the order stays
        own = labels == k
        assert np.array_equal(np.argsort(adjusted[own]), np.argsort(suspicion[own]))


def test_where_the_classes_are_alike_suspicion_stays_what_it_is():
    suspicion = np.random.default_rng(0).random(2000)
    labels = np.arange(2000) % 4
    assert module._by_class(suspicion, labels, 300) is suspicion
    for count in (0, 2000):
        assert module._by_class(suspicion, labels, count) is suspicion


def test_neighbors_are_told_beside_the_rest(digits):
    problem = digits("uniform", 0.05)
    rows = len(problem.labels)
    graph = Neighbors(
        indices=(np.arange(rows)[:, None] + [1, 2]) % rows,
        similarities=np.zeros((rows, 2), np.float32),
    )
    dataset = Dataset(labels=problem.labels, probabilities=problem.probabilities, neighbors=graph)
    found = SelfConfidence().detect(dataset)
    agree = problem.labels[graph.indices] == problem.labels[:, None]
    assert found.evidence.neighbor_agreement == pytest.approx(agree.mean())
    plain = SelfConfidence().detect(dataset.replace(neighbors=None))
    assert plain.evidence.neighbor_agreement is None
    np.testing.assert_array_equal(plain.flagged, found.flagged)
    assert plain == self_confidence(
        problem.labels, problem.probabilities, classes=dataset.classes, ids=dataset.ids
    )


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_findings_survive_the_files_of_a_run(digits, share, tmp_path):
    problem = digits("uniform", share)
    found = self_confidence(problem.labels, problem.probabilities)
    FINDINGS.write(found, tmp_path)
    again = FINDINGS.read(tmp_path, {})
    assert again == found
    for name in ("noise_range", "precision", "evidence"):
        assert getattr(again, name) == getattr(found, name)
        assert type(getattr(again, name)) is type(getattr(found, name))


def test_two_samples():
    found = self_confidence([0, 1], [[0.9, 0.1], [0.2, 0.8]])
    assert found.ids.tolist() == ["0", "1"]
    assert not found.flagged.any()


@pytest.mark.parametrize(
    ("labels", "values", "message"),
    [
        ([0, 2], np.eye(2), "labels: row 1 is 2, expected 0…1"),
        (
            [0, 1],
            np.eye(3),
            "probabilities have 3 rows but there are 2 labels: give one row per sample",
        ),
        (
            [0, 1],
            [[1], [1]],
            "probabilities: expected a matrix of N samples × K classes, got int64 (2, 1)",
        ),
    ],
)
def test_bad_input_is_named(labels, values, message):
    with pytest.raises(InputError) as raised:
        self_confidence(labels, values)
    assert str(raised.value) == message


def test_component_refuses_in_sample_probabilities(digits):
    problem = digits("uniform", 0.2)
    seen = Probabilities(values=problem.probabilities, origin="in sample")
    dataset = Dataset(labels=problem.labels, probabilities=seen)
    with pytest.raises(InputError) as raised:
        SelfConfidence().detect(dataset)
    assert str(raised.value) == (
        "the probabilities are in sample, and a model agrees with the wrong labels that it has "
        "seen: use out-of-sample ones, or set allow_in_sample"
    )
    assert SelfConfidence(allow_in_sample=True).detect(dataset).flagged.any()
    with pytest.raises(InputError) as raised:
        SelfConfidence().detect(dataset.replace(probabilities=None))
    assert str(raised.value) == (
        'the dataset has no column "probabilities": the enricher linear-probe adds it'
    )
