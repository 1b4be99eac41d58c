"""Expected gain: repairs that make labels better, or nothing at all."""

import re

import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.findings import Findings
from adc_plugins_detect.curators.expected_gain import ExpectedGain
from adc_plugins_detect.detectors.self_confidence import self_confidence
from adc_plugins_detect.enrichers.ridge_probe import ridge_probe
from adc_plugins_detect.noise.counterfactual import Counterfactual
from adc_plugins_detect.noise.posterior import best_other_label, wrong_probability

KINDS = [("uniform", 0.05), ("uniform", 0.1), ("uniform", 0.2), ("pairs", 0.1)]


def dataset_of(problem):
    return Dataset(labels=problem.labels, probabilities=problem.probabilities)


def noise_after(problem, curation):
    rows = curation.dataset.ids.astype(int)
    return (curation.dataset.labels != problem.truth[rows]).mean()


@pytest.mark.parametrize(("kind", "share"), KINDS)
def test_noise_falls_to_about_what_is_expected(digits, kind, share):
    problem = digits(kind, share)
    curation = ExpectedGain().curate(dataset_of(problem), ())
    (note,) = curation.notes
    found = re.fullmatch(
        r"expected: ([\d,]+) relabelled, ([\d,]+) dropped, ([\d,]+) left; wrong labels from "
        r"([\d.]+) to ([\d.]+) % \(before: .+ % \(.+ to .+ %\)\)",
        note,
    )
    relabeled, dropped, left = (int(text.replace(",", "")) for text in found.groups()[:3])
    assert (relabeled, dropped) == (curation.count("relabel"), curation.count("drop"))
    assert left == len(curation.dataset) == 1797 - dropped
    before, after = problem.wrong.mean(), noise_after(problem, curation)
    assert after < 0.5 * before
    assert float(found[4]) / 100 == pytest.approx(before, abs=0.025)
    # Cautious where much is relabelled: good probabilities say too little of the other label.
    assert after - 0.035 < float(found[5]) / 100 < after + 0.08
    assert dropped < 1.5 * problem.wrong.sum()


def test_changes_only_what_is_surely_wrong(digits):
    problem = digits("uniform", 0.2)
    dataset = dataset_of(problem)
    curation = ExpectedGain().curate(dataset, ())
    expected = Counterfactual(problem.labels, problem.probabilities)
    rate = self_confidence(problem.labels, problem.probabilities).noise_rate
    wrong = wrong_probability(expected, rate)
    predicted = problem.probabilities.argmax(axis=1)
    _, share = best_other_label(problem.labels, problem.probabilities)
    sure = (wrong * share >= 0.5) | (wrong >= 0.5)
    wanted = np.flatnonzero(sure & (predicted != problem.labels))
    assert curation.changes["id"].to_pylist() == [str(row) for row in wanted]
    for change in curation.changes.to_pylist():
        row = int(change["id"])
        said = f"wrong with probability {wrong[row]:.2f}"
        if change["action"] == "drop":
            assert (change["new_label"], change["reason"]) == (-1, said)
            assert wrong[row] >= 0.5
        else:
            name = dataset.classes[predicted[row]]
            assert change["new_label"] == predicted[row]
            likely = re.fullmatch(rf"{re.escape(said)}; {name} with (\d\.\d\d)", change["reason"])
            assert 0.5 - 0.005 <= float(likely[1]) <= wrong[row] + 0.005


def test_right_labels_are_left_as_they_are(digits):
    curation = ExpectedGain().curate(dataset_of(digits()), ())
    assert curation.dataset == dataset_of(digits())
    assert curation.notes == (
        "nothing is changed: 0.0 % (0.0 to 1.3 %) of the labels look wrong, by good evidence, but "
        "it cannot be excluded that all are right: look at the most suspicious ones",
    )


def test_fair_evidence_changes_nothing_unless_it_is_asked_to():
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 3000)
    features = 1.2 * np.eye(4)[truth] + random.normal(size=(3000, 4))
    wrong = random.random(3000) < 0.2
    labels = np.where(wrong, (truth + random.integers(1, 4, 3000)) % 4, truth)
    dataset = Dataset(labels=labels, probabilities=ridge_probe(labels, features).values)
    curation = ExpectedGain().curate(dataset, ())
    assert len(curation.changes) == 0
    assert curation.notes == (
        "nothing is changed, for the evidence is only fair: the most suspicious labels are mostly "
        "wrong, the others a guess: look at them before anything is changed, or give a pretrained "
        "encoder; evidence: fair acts all the same",
    )
    asked = ExpectedGain(evidence="fair").curate(dataset, ())
    rows = asked.changes["id"].to_numpy(zero_copy_only=False).astype(int)
    assert len(rows) and wrong[rows].mean() > 2 * wrong.mean()


def test_poor_evidence_changes_nothing():
    random = np.random.default_rng(0)
    truth = random.integers(0, 10, 3000)
    features = 0.8 * np.eye(10)[truth] + random.normal(size=(3000, 10))
    labels = np.where(random.random(3000) < 0.2, random.integers(0, 10, 3000), truth)
    dataset = Dataset(labels=labels, probabilities=ridge_probe(labels, features).values)
    curation = ExpectedGain().curate(dataset, ())
    assert len(curation.changes) == 0
    assert curation.notes == (
        "nothing is changed, for the evidence is poor: wrong labels hardly stand out, so trust no "
        "figure here: give a pretrained encoder (--encoder), or look at 200 labels (adc audit)",
    )


def test_only_flagged_samples_are_touched(digits):
    problem = digits("uniform", 0.2)
    dataset = dataset_of(problem)
    whole = set(ExpectedGain().curate(dataset, ()).changes["id"].to_pylist())
    flagged = np.arange(1797) % 2 == 0
    findings = Findings(ids=dataset.ids, suspicion=np.full(1797, 0.5), flagged=flagged)
    changed = ExpectedGain().curate(dataset, (findings,)).changes["id"].to_pylist()
    assert set(changed) == {id_ for id_ in whole if int(id_) % 2 == 0}
    other = findings.replace(flagged=~flagged)
    both = ExpectedGain().curate(dataset, (findings, other)).changes["id"].to_pylist()
    assert set(both) == whole
    none = findings.replace(flagged=np.zeros(1797, np.bool_))
    assert len(ExpectedGain().curate(dataset, (none,)).changes) == 0


def test_options_say_how_sure_it_must_be(digits):
    dataset = dataset_of(digits("uniform", 0.1))
    usual = ExpectedGain().curate(dataset, ())
    surer = ExpectedGain(relabel_from=0.9).curate(dataset, ())
    assert surer.count("relabel") < usual.count("relabel")
    cautious = ExpectedGain(drop_from=0.9).curate(dataset, ())
    assert cautious.count("relabel") == usual.count("relabel")
    assert cautious.count("drop") < usual.count("drop")


def test_probabilities_are_needed():
    with pytest.raises(InputError) as raised:
        ExpectedGain().curate(Dataset(labels=[0, 1]), ())
    assert str(raised.value) == (
        'the dataset has no column "probabilities": the enricher linear-probe adds it'
    )
