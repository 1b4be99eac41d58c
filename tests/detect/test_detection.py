import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from adc_core.records.curation import CHANGES, Curation
from adc_core.records.dataset import Dataset
from adc_core.records.findings import Findings
from adc_core.records.run import Run
from adc_core.storage.truth import NO_CLASS
from adc_plugins_detect.metrics.detection import (
    Detection,
    flag_figures,
    rank_figures,
    thirds_by_size,
    transition_error,
)


def test_figures_of_the_worked_example(vectors):
    example = vectors["detection_metrics"]
    figures = rank_figures(example["truth"], example["score"])
    assert figures.average_precision == pytest.approx(example["ap"], abs=1e-12)
    assert figures.roc_auc == pytest.approx(example["auc"], abs=1e-12)
    assert figures.precision_at_95_recall == example["precision_at_95"]["first_reaching"]
    flags = flag_figures(example["truth"], np.array(example["score"]) > 0.65)
    assert flags._asdict() == example["flag_at_065"]


def test_twenty_wrong_labels(vectors):
    example = vectors["detection_metrics"]["twenty_positives"]
    figures = rank_figures(example["truth"], np.linspace(1, 0.1, 28))
    assert figures.precision_at_95_recall == pytest.approx(example["first_reaching"], abs=1e-12)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40))
def test_as_scikit_learn_measures(samples):
    wrong, suspicion = np.array([w for w, _ in samples]), np.array([s for _, s in samples])
    wrong[:2] = True, False
    figures = rank_figures(wrong, suspicion)
    assert figures.average_precision == pytest.approx(average_precision_score(wrong, suspicion))
    assert figures.roc_auc == pytest.approx(roc_auc_score(wrong, suspicion))


def test_what_is_undefined_is_none():
    assert flag_figures([True, False], [False, False]) == (None, 0.0, 0.0)
    assert flag_figures([False, False], [True, False]) == (0.0, None, 0.0)
    assert flag_figures([False, False], [False, False]) == (None, None, None)
    assert flag_figures([], []) == (None, None, None)
    assert rank_figures([False, False], [0.1, 0.2]) == (None, None, None)
    assert rank_figures([], []) == (None, None, None)
    assert rank_figures([True, True], [0.1, 0.2]) == (1.0, None, 1.0)


@pytest.fixture
def run():
    """Labels 0 and 4 are wrong, 5 is of unknown truth; the detector did not cover 3."""
    dataset = Dataset(labels=[1, 0, 1, 0, 1, 0], ids=list("abcdef"))
    findings = Findings(
        ids=list("abcdef"),
        suspicion=[0.9, 0.2, 0.6, np.nan, 0.4, 1.0],
        flagged=[True, False, True, False, False, True],
        covered=[True, True, True, False, True, True],
        noise_rate=0.3,
    )
    changes = [
        {"id": "a", "action": "relabel", "old_label": 1, "new_label": 0, "reason": "why"},
        {"id": "c", "action": "drop", "old_label": 1, "new_label": -1, "reason": "why"},
    ]
    curation = Curation.apply(dataset, CHANGES.empty_table().from_pylist(changes, CHANGES))
    return Run(
        collected=dataset,
        findings={"mine": findings},
        curations={"drop": curation},
        truth=[0, 0, 1, 0, 0, -1],
    )


def test_measures_a_run(run):
    figures = {
        (m.metric, m.subject): (m.value, m.better) for m in Detection().measure(run) if not m.detail
    }
    assert figures == {
        ("noise rate", "labels as collected"): (2 / 5, "lower"),
        ("noise rate", "as collected, says mine"): (run.findings["mine"].noise_rate, "lower"),
        ("noise rate", "labels as curated"): (1 / 4, "lower"),
        ("precision", "flag everything"): (2 / 5, "higher"),
        ("recall", "flag everything"): (1.0, "higher"),
        ("F1", "flag everything"): (4 / 7, "higher"),
        ("precision", "mine"): (1 / 2, "higher"),
        ("recall", "mine"): (1 / 2, "higher"),
        ("F1", "mine"): (1 / 2, "higher"),
        ("average precision", "mine"): (0.5 * 1 + 0.5 * 2 / 3, "higher"),
        ("ROC AUC", "mine"): (3 / 4, "higher"),
        ("precision at 95 % recall", "mine"): (2 / 3, "higher"),
        ("F1 at equal budget", "mine"): (1 / 2, "higher"),
        ("noise rate error", "mine"): (pytest.approx(0.2), "lower"),
        ("precision", "flag at random"): (2 / 5, "higher"),
        ("recall", "flag at random"): (2 / 5, "higher"),
        ("F1", "flag at random"): (2 / 5, "higher"),
        ("average precision", "flag at random"): (2 / 5, "higher"),
        ("ROC AUC", "flag at random"): (1 / 2, "higher"),
        ("precision at 95 % recall", "flag at random"): (2 / 5, "higher"),
        ("F1 at equal budget", "flag at random"): (2 / 5, "higher"),
    }


def test_measures_each_given_label(run):
    """Of label 0 nothing is flagged and nothing wrong; of 1 two are flagged, one of two wrong."""
    details = {m.metric: m.value for m in Detection().measure(run) if m.detail}
    assert details == {
        "precision of 0": None,
        "recall of 0": None,
        "F1 of 0": None,
        "precision of 1": 1 / 2,
        "recall of 1": 1 / 2,
        "F1 of 1": 1 / 2,
    }


def test_a_transition_matrix_is_compared_with_what_happened(run):
    labels, truth = [0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 0, -1]
    estimate = np.array([[0.5, 0.5], [0.2, 0.8]])
    assert transition_error(estimate, truth, labels) == pytest.approx((0.5 + 0.4) / 2)
    assert transition_error(np.eye(2), [1, 1], [1, 1]) == 0
    assert transition_error(np.eye(2), [-1, -1], [1, 1]) is None
    found = run.findings["mine"].replace(transition=np.eye(2))
    measured = Detection().measure(run.replace(findings={"mine": found}))
    errors = [m for m in measured if m.metric == "transition error"]
    assert [(m.subject, m.value, m.better) for m in errors] == [("mine", 2 / 4, "lower")]


def test_without_curators_or_estimates_there_are_fewer_figures(run):
    findings = {"mine": run.findings["mine"].replace(noise_rate=None)}
    measured = Detection().measure(run.replace(curations={}, findings=findings))
    names = {(m.metric, m.subject) for m in measured}
    assert ("noise rate", "labels as curated") not in names
    assert ("noise rate error", "mine") not in names
    assert ("noise rate", "as collected, says mine") not in names


def test_nothing_is_known_nothing_is_measured(run):
    assert Detection().measure(run.replace(truth=None)) == ()
    measured = Detection().measure(run.replace(truth=[-1] * 6))
    assert {m.value for m in measured if "says" not in m.subject} == {None}


def test_samples_of_no_class_are_wrong(run):
    """Sample 5, of unknown truth, now is known to be of no class."""
    before = {(m.metric, m.subject): m.value for m in Detection().measure(run)}
    after = {
        (m.metric, m.subject): m.value
        for m in Detection().measure(run.replace(truth=np.append(run.truth[:5], NO_CLASS)))
    }
    assert before["noise rate", "labels as collected"] == pytest.approx(2 / 5)
    assert after["noise rate", "labels as collected"] == pytest.approx(3 / 6)
    subject = next(iter(run.findings))
    assert after["recall", subject] == pytest.approx(
        (2 * before["recall", subject] + run.findings[subject].flagged[5]) / 3
    )


@pytest.fixture
def uneven():
    """Classes 0 to 3 of 8, 4, 2 and 2 labels: the first of each is wrong, the first two flagged."""
    labels = np.repeat([0, 1, 2, 3], [8, 4, 2, 2])
    place = np.concatenate([np.arange(n) for n in (8, 4, 2, 2)])
    ids = [str(row) for row in range(16)]
    flagged = place < 2
    findings = Findings(ids=ids, suspicion=flagged.astype(float), flagged=flagged)
    return Run(
        collected=Dataset(labels=labels, ids=ids),
        findings={"mine": findings},
        truth=np.where(place == 0, (labels + 1) % 4, labels),
    )


def by_size(run):
    return {
        (m.metric.removesuffix(" by class size"), m.subject): (m.value, m.better)
        for m in Detection().measure(run)
        if m.metric.endswith(" by class size")
    }


def test_head_middle_and_tail(uneven):
    assert by_size(uneven) == {
        ("precision", "mine, head"): (1 / 2, "higher"),
        ("recall", "mine, head"): (1, "higher"),
        ("flagged", "mine, head"): (4 / 12, "lower"),
        ("right labels flagged", "mine, head"): (2 / 10, "lower"),
        ("precision", "mine, middle"): (1 / 2, "higher"),
        ("recall", "mine, middle"): (1, "higher"),
        ("flagged", "mine, middle"): (1, "lower"),
        ("right labels flagged", "mine, middle"): (1, "lower"),
        ("precision", "mine, tail"): (1 / 2, "higher"),
        ("recall", "mine, tail"): (1, "higher"),
        ("flagged", "mine, tail"): (1, "lower"),
        ("right labels flagged", "mine, tail"): (1, "lower"),
    }


def test_unknown_truth_and_samples_that_are_not_covered_count_in_no_third(uneven):
    truth = uneven.truth.copy()
    truth[14:] = -1
    covered = np.arange(16) != 12
    suspicion = np.where(covered, uneven.findings["mine"].suspicion, np.nan)
    found = uneven.findings["mine"].replace(
        covered=covered,
        suspicion=suspicion,
        flagged=uneven.findings["mine"].flagged & covered,
    )
    figures = by_size(uneven.replace(truth=truth, findings={"mine": found}))
    assert figures["precision", "mine, tail"] == (None, "higher")
    assert figures["right labels flagged", "mine, tail"] == (None, "lower")
    assert figures["precision", "mine, middle"] == (0, "higher")
    assert figures["recall", "mine, middle"] == (None, "higher")


def test_classes_of_like_size_have_no_thirds(run, uneven):
    assert by_size(run) == {}  # of two classes
    keep = np.flatnonzero(np.isin(np.arange(16), [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15]))
    found = uneven.findings["mine"]
    few = uneven.replace(
        collected=uneven.collected.take(keep),
        truth=uneven.truth[keep],
        findings={
            "mine": Findings(
                ids=found.ids[keep], suspicion=found.suspicion[keep], flagged=found.flagged[keep]
            )
        },
    )
    assert by_size(few) == {}  # 5, 4, 2 and 2


def test_thirds():
    def thirds(counts):
        return [part.tolist() for part in thirds_by_size(counts)]

    assert thirds([5, 9, 1, 0, 7]) == [[1, 4], [0], [2]]
    assert thirds([2, 2, 2]) == [[0], [1], [2]]
    assert thirds(np.arange(10)[::-1]) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
