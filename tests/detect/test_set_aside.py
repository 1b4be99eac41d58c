"""Setting aside: samples stay, their labels do not count, and nobody takes them for labels."""

import numpy as np
import pytest

from adc_core import Dataset, Findings, InputError, Run
from adc_core.reporting import repair_lines
from adc_plugins_detect import Detection, Drop, Relabel, SetAside

IDS = ["a", "b", "c", "d"]
DATASET = Dataset(labels=[0, 1, 0, 1], ids=IDS, classes=("x", "y"))
FOUND = Findings(
    ids=IDS,
    suspicion=np.array([0.9, 0.1, 0.9, 0.1]),
    flagged=np.array([True, False, True, False]),
    suggested_labels=np.array([1, -1, 1, -1]),
    suggestion_confidence=np.array([0.9, np.nan, 0.9, np.nan]),
)


def test_what_is_flagged_stays_without_its_label():
    found = SetAside().curate(DATASET, [FOUND])
    assert found.dataset.ids.tolist() == IDS
    assert found.dataset.labeled.tolist() == [False, True, False, True]
    assert found.dataset.labels.tolist() == [0, 1, 0, 1]
    assert [(one["id"], one["action"], one["new_label"]) for one in found.changes.to_pylist()] == [
        ("a", "set aside", -1), ("c", "set aside", -1),
    ]  # fmt: skip
    assert found.changes["reason"].to_pylist() == ["flagged by 1 of 1 detector"] * 2
    assert repr(found) == "<Curation: 4 samples left, 0 dropped, 0 relabelled, 2 set aside>"


def test_it_can_be_undone():
    found = SetAside().curate(DATASET, [FOUND])
    assert found.undone(DATASET, ["a"]).dataset.labeled.tolist() == [True, True, False, True]
    assert found.undone(DATASET).dataset == DATASET


def test_a_later_curator_may_label_or_drop_it():
    aside = SetAside().curate(DATASET, [FOUND]).dataset
    assert Relabel().curate(aside, [FOUND]).dataset.labeled.all()
    assert Drop().curate(aside, [FOUND]).dataset.labeled.tolist() == [True, True]
    again = SetAside().curate(aside, [FOUND])
    assert len(again.changes) == 0 and again.dataset == aside


def test_one_label_must_be_left():
    with pytest.raises(InputError, match="every label would be set aside"):
        SetAside().curate(DATASET, [FOUND.replace(flagged=np.ones(4, bool))])


def test_figures_are_of_the_labels_that_count():
    curation = SetAside().curate(DATASET, [FOUND])
    run = Run(
        collected=DATASET,
        findings={"one": FOUND},
        curations={"set-aside": curation},
        truth=np.array([1, 1, 0, 1]),
    )
    rates = {
        one.subject: one.value for one in Detection().measure(run) if one.metric == "noise rate"
    }
    assert rates["labels as collected"] == 0.25
    assert rates["labels as curated"] == 0
    said = list(repair_lines(run))
    assert said[0] == "set-aside: 0 dropped, 0 relabelled, 2 set aside"
    assert "wrong labels went from 25.0 to 0.0 %" in said[-1]
