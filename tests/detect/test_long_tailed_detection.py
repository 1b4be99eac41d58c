"""Rare classes: what detectors flag of their right labels, and what keeps them from it."""

import warnings

import pytest

from adc_core import Dataset, Run
from adc_plugins_detect import (
    Detection,
    LongTail,
    NearestNeighbors,
    RidgeProbe,
    SelfConfidence,
    SimiFeat,
    Threshold,
)


@pytest.fixture(scope="module")
def rare(digits):
    """Digits with a fifth of the labels wrong, cut to a tail of 10 to 1 of given labels."""
    known = digits("uniform", 0.2)
    whole = Dataset(labels=known.labels, features=known.features)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes have a few labels less than their share
        tail = LongTail(ratio=10).corrupt(whole)
    dataset = NearestNeighbors(k=10).enrich(tail.applied_to(whole))
    return dataset, tail.rows_left(known.truth)


def right_labels_flagged(detector, dataset, truth):
    """The share in the head and in the tail, and F1 of all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # HOC finds rare classes too rare for it
        found = detector.detect(dataset)
    run = Run(collected=dataset, findings={"it": found}, truth=truth)
    figures = {f"{m.metric} {m.subject}": m.value for m in Detection().measure(run)}
    head, tail = (
        figures[f"right labels flagged by class size it, {part}"] for part in ("head", "tail")
    )
    return head, tail, figures["F1 it"]


def test_within_classes_right_labels_of_the_tail_are_spared(rare):
    dataset, truth = rare
    head, tail, f1 = right_labels_flagged(SimiFeat(), dataset, truth)
    within = right_labels_flagged(Threshold(detector=SimiFeat(), within_classes=True), *rare)
    assert tail > 4 * head
    assert within[1] < tail / 2
    assert within[2] > f1


def test_adjusted_probabilities_spare_them_too(rare):
    dataset, truth = rare
    _, tail, f1 = right_labels_flagged(SelfConfidence(), RidgeProbe().enrich(dataset), truth)
    adjusted = RidgeProbe(tau=0.5).enrich(dataset)
    _, spared, better = right_labels_flagged(SelfConfidence(), adjusted, truth)
    assert spared < 0.7 * tail
    assert better > f1
