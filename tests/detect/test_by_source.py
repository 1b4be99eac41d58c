"""Figures of each source: vectors, classes that differ, small sources, copies and test images."""

import numpy as np
import pyarrow as pa
import pytest

from adc_core import Dataset, Findings, Predictions, Run, Training
from adc_plugins_detect import BySource
from adc_plugins_detect.metrics.by_source import columns_of_sources


@pytest.fixture
def run(vectors):
    known = vectors["by_source"]
    wrong, n = np.array(known["wrong"]), len(known["wrong"])
    flagged = np.array(known["flagged"])
    truth = np.zeros(n, np.int64)
    sources = pa.table({"engine": known["source"], "url": ["https://x.org/1"] * (n - 1) + [None]})
    dataset = Dataset(labels=wrong.astype(np.int64), classes=("a", "b"), sources=sources)
    findings = Findings(ids=dataset.ids, suspicion=flagged.astype(float), flagged=flagged)
    return Run(collected=dataset, findings={"mine": findings}, truth=truth)


def figures(run, min_count=1):
    return {
        (m.subject, m.metric.replace(" by source", "")): m.value
        for m in BySource(min_count=min_count).measure(run)
    }


def test_as_in_the_vectors(vectors, run):
    found = figures(run)
    for name, known in vectors["by_source"]["table"].items():
        subject = f"engine {name}"
        assert found[subject, "samples"] == known["count"]
        assert found[subject, "wrong labels"] == pytest.approx(known["noise"])
        # The vectors take 1.959964 for the quantile, the code 1.96.
        assert found[subject, "wrong labels, at least"] == pytest.approx(known["low"], abs=1e-5)
        assert found[subject, "wrong labels, at most"] == pytest.approx(known["high"], abs=1e-5)
        assert found[subject, "flagged by mine"] == pytest.approx(known["flagged"])
    assert found["host x.org", "samples"] == 9
    assert found["host unknown", "samples"] == 1
    details = {m.subject.split()[0]: m.detail for m in BySource(min_count=1).measure(run)}
    assert details == {"engine": False, "host": True}


def test_small_sources_have_no_figure(run):
    assert {subject for subject, _ in figures(run, 4)} == {"engine a", "host x.org"}


def test_classes_are_compared_with_their_like():
    """Both engines have half of class 1 wrong and nothing of 0, but other shares of these."""
    labels = np.repeat([0, 1, 0, 1], [8, 2, 2, 8])
    truth = np.where((labels == 1) & (np.arange(20) % 2 == 0), 0, labels)
    engine = np.repeat(["first", "second"], 10)
    run = Run(collected=Dataset(labels=labels, sources=pa.table({"engine": engine})), truth=truth)
    found = figures(run)
    assert found["engine first", "wrong labels"] == pytest.approx(0.1)
    assert found["engine second", "wrong labels"] == pytest.approx(0.4)
    for one in ("first", "second"):
        assert found[f"engine {one}", "wrong labels, beyond its classes'"] == pytest.approx(0)


def test_what_is_not_known_is_left_out(run):
    bare = Dataset(labels=[0, 1, 1])
    assert columns_of_sources(bare) == {}
    assert BySource(min_count=1).measure(Run(collected=bare)) == ()
    unknown = run.replace(truth=np.full(10, -1))
    assert figures(unknown)["engine a", "wrong labels"] is None
    assert figures(unknown)["engine a", "wrong labels, at most"] is None
    assert ("engine a", "wrong labels") not in figures(run.replace(truth=None))


def test_copies_from_elsewhere(run):
    group = np.array([0, 0, 2, 3, 0, 5, 6, 7, 7, 9])
    found = figures(
        run.replace(collected=run.collected.replace(columns={"duplicate_group": group}))
    )
    assert found["engine a", "copies from elsewhere"] == 2 / 4
    assert found["engine b", "copies from elsewhere"] == 1 / 3
    assert found["engine c", "copies from elsewhere"] == 0


def test_trainings_on_the_test_images_of_a_source(run):
    test = Dataset(
        labels=[0, 1, 0, 1],
        classes=("a", "b"),
        attributes={"color": ["red", "red", "blue", "blue"]},
    )
    predictions = Predictions(
        probabilities=np.eye(2, dtype=np.float32)[[0, 1, 1, 1]], classes=("a", "b")
    )
    trainings = (
        Training(learner="one", trained_on="raw", predictions=predictions),
        Training(learner="no", trained_on="raw"),
    )
    found = figures(run.replace(test=test, trainings=trainings), 2)
    assert found["color red", "accuracy of one on raw"] == 1
    assert found["color blue", "accuracy of one on raw"] == 0.5
    assert not any("no on raw" in metric for _, metric in found)


def test_addresses_that_are_none():
    sources = pa.table({"url": ["http://[1", "ftp://Host.org/x", "", None]})
    found = columns_of_sources(Dataset(labels=[0, 1, 0, 1], sources=sources))
    assert found["host"].tolist() == ["unknown", "host.org", "unknown", "unknown"]
