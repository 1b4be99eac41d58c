"""What is said of estimates and of repairs, line by line."""

import numpy as np
import pyarrow as pa
import pytest

from adc_core import Dataset, Findings
from adc_core.records.curation import CHANGES, Curation
from adc_core.records.estimates import Estimate, EvidenceQuality, NoiseRate
from adc_core.records.model import Predictions
from adc_core.records.run import Run, Training
from adc_core.reporting.trust import headline, noise_text, repair_lines, trust_lines
from adc_core.storage.truth import NO_CLASS, UNKNOWN

IDS = ["a", "b", "c", "d"]
PLAIN = Findings(ids=IDS, suspicion=np.full(4, 0.5), flagged=[True, False, False, False])
RATE = NoiseRate(low=0.05, point=0.1, high=0.2, warnings=("the wolf looks like the husky",))
GOOD = EvidenceQuality(
    accuracy=0.871, chance=0.25, neighbor_agreement=0.662, verdict="good", advice="look at them"
)
TOLD = PLAIN.replace(
    noise_rate=0.1,
    noise_range=RATE,
    precision=Estimate(low=0.5, point=0.8, high=1),
    evidence=GOOD,
)
DATASET = Dataset(labels=[0, 0, 1, 1], ids=IDS, classes=("cat", "dog"))
LINES = [
    "evidence: good: unseen labels are predicted 87% right (the commonest class: 25%), "
    "66% of the nearest neighbors agree",
    "  look at them",
    "wrong labels: about 10 % (5.0 to 20 %)",
    "of the flagged labels, about 80 % (50 to 100 %) are wrong",
    "the wolf looks like the husky",
]


def test_all_that_a_detector_says_of_its_trust():
    assert list(trust_lines({"one": TOLD})) == LINES


def test_of_poor_evidence_the_range_alone_is_told():
    poor = TOLD.replace(noise_range=RATE.replace(poor=True), evidence=None, precision=None)
    assert list(trust_lines({"one": poor})) == [
        "wrong labels: somewhere in 5.0 to 20 %",
        "the wolf looks like the husky",
    ]
    assert headline({"one": poor}) == noise_text(poor) == "somewhere in 5.0 to 20 %"


def test_what_two_detectors_say_alike_is_said_once():
    other = TOLD.replace(precision=Estimate(low=0, point=0.5, high=1))
    assert list(trust_lines({"one": TOLD, "other": other, "plain": PLAIN})) == [
        *LINES,
        "of the flagged labels, about 50 % (0.0 to 100 %) are wrong",
    ]


def test_evidence_without_neighbors_and_detectors_that_know_nothing():
    alone = GOOD.replace(neighbor_agreement=None)
    assert next(trust_lines({"one": PLAIN.replace(evidence=alone)})) == (
        "evidence: good: unseen labels are predicted 87% right (the commonest class: 25%)"
    )
    assert list(trust_lines({"plain": PLAIN})) == []


def test_noise_is_told_as_a_range_where_there_is_one():
    assert noise_text(TOLD) == "10 % (5.0 to 20 %)"
    assert noise_text(PLAIN.replace(noise_rate=0.1234)) == "12.3 %"
    assert noise_text(PLAIN) == "-"


def test_the_headline_never_averages():
    low, high = (PLAIN.replace(noise_rate=rate) for rate in (0.1, 0.3))
    assert headline({"a": low, "b": TOLD, "c": high}) == "10 % (5.0 to 20 %)"
    assert headline({"a": high, "b": low, "c": PLAIN}) == "10.0 to 30.0 %"
    assert headline({"a": low, "b": low}) == "10.0 %"
    assert headline({"a": PLAIN}) is None


def curated(*changes, notes=()):
    rows = [dict(zip(CHANGES.names, (*change, "so"), strict=True)) for change in changes]
    return Curation.apply(DATASET, pa.Table.from_pylist(rows, CHANGES), notes)


RELABEL, DROP = ("a", "relabel", 0, 1), ("b", "drop", 0, -1)


def test_repairs_and_what_is_expected_of_them():
    curations = {"first": curated(RELABEL, DROP, notes=("expected: better",)), "none": curated()}
    assert list(repair_lines(Run(collected=DATASET, curations=curations))) == [
        "first: 1 dropped, 1 relabelled",
        "  expected: better",
        "none: nothing is changed",
    ]
    assert list(repair_lines(Run(collected=DATASET, truth=[1, 0, 1, 1]))) == []


@pytest.mark.parametrize(
    ("truth", "line"),
    [
        ([1, 0, 1, 1], "by the truth, wrong labels went from 25.0 to 0.0 %"),
        ([1, NO_CLASS, 1, UNKNOWN], "by the truth, wrong labels went from 66.7 to 0.0 %"),
        (
            [0, 0, 1, 1],
            "by the truth, wrong labels went from 0.0 to 33.3 %: the repair made the labels "
            "worse, so do not use it",
        ),
    ],
)
def test_the_truth_judges_the_repair(truth, line):
    run = Run(collected=DATASET, curations={"one": curated(RELABEL, DROP)}, truth=truth)
    assert list(repair_lines(run))[1:] == [line]


@pytest.mark.parametrize("truth", [[UNKNOWN] * 4, [UNKNOWN, 0, UNKNOWN, UNKNOWN]])
def test_a_truth_that_nobody_knows_says_nothing(truth):
    run = Run(collected=DATASET, curations={"one": curated(RELABEL, DROP)}, truth=truth)
    assert list(repair_lines(run)) == ["one: 1 dropped, 1 relabelled"]


def trained(labels, trained_on):
    predictions = Predictions(
        probabilities=np.eye(2, dtype=np.float32)[labels], classes=("cat", "dog")
    )
    return Training(learner="plain", trained_on=trained_on, predictions=predictions)


@pytest.mark.parametrize(
    ("raw", "repaired", "line"),
    [
        (
            [0, 1, 1, 1],
            [0, 0, 1, 1],
            "plain on the test set: raw 75.0 %, curated 100.0 % (± 21.7): no difference beyond "
            "chance",
        ),
        (
            [1, 1, 0, 0],
            [0, 0, 1, 1],
            "plain on the test set: raw 0.0 %, curated 100.0 % (± 0.0): the repaired labels are "
            "better",
        ),
        (
            [0, 0, 1, 1],
            [1, 1, 0, 0],
            "plain on the test set: raw 100.0 %, curated 0.0 % (± 0.0): the repaired labels are "
            "worse: do not use them",
        ),
    ],
)
def test_raw_and_curated_are_compared_on_the_test_set(raw, repaired, line):
    run = Run(
        collected=DATASET,
        curations={"one": curated()},
        trainings=(trained(raw, "raw"), trained(repaired, "curated"), trained(raw, "clean")),
        test=DATASET,
    )
    assert list(repair_lines(run)) == ["one: nothing is changed", line]
    without = run.replace(trainings=run.trainings[:1])
    assert list(repair_lines(without)) == ["one: nothing is changed"]
