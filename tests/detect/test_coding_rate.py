"""Coding rates: the worked example, singular values, and a run before and after its repair."""

import numpy as np
import pytest

from adc_core import Curation
from adc_core.testing.toys import toy_dataset, toy_run, toy_truth
from adc_plugins_detect import CodingRate, coding_rate_reduction

FEATURES = np.array(
    [[1, 0.1, 0], [0.9, 0.2, 0.1], [1, 0, 0.2], [0, 1, 0.1], [0.1, 0.9, 0], [0.2, 1, 0.1]]
)


def test_worked_example():
    assert coding_rate_reduction([0, 0, 1, 1, 1, 1], FEATURES) == pytest.approx(0.5558315066594739)
    assert coding_rate_reduction([0, 0, 0, 1, 1, 1], 7 * FEATURES) == pytest.approx(
        1.1918687899904432
    )


def test_by_singular_values_where_dimensions_are_more_than_rows():
    rows = np.random.default_rng(0).normal(size=(9, 20))
    labels = np.array([0, 3, 3, 3, 0, 0, 3, 0, 5])  # a class of one sample, and classes of none

    def rate(part):
        unit = part / np.linalg.norm(part, axis=1, keepdims=True)
        values = np.linalg.svd(unit, compute_uv=False)
        return 0.5 * np.log1p(20 / (len(part) * 0.1) * values**2).sum()

    expected = rate(rows) - sum(rate(rows[labels == k]) * (labels == k).mean() for k in (0, 3, 5))
    assert coding_rate_reduction(labels, rows, distortion=0.1) == pytest.approx(expected)
    assert coding_rate_reduction([0] * 9, rows) == pytest.approx(0, abs=1e-9)


def test_labels_that_are_mended_raise_it():
    dataset, truth, run = toy_dataset(), toy_truth(), toy_run()
    found = {m.subject: m.value for m in CodingRate().measure(run)}
    assert set(found) == {"labels as collected", "true labels"}
    assert found["true labels"] > found["labels as collected"] + 0.1
    wrong = np.flatnonzero(dataset.labels != truth)
    half = wrong[::2]
    mended = Curation.of(
        run.collected,
        relabel=half,
        labels=truth[half],
        drop=[0],
        reasons=["true"] * (len(half) + 1),
    )
    curated = run.replace(curations={"x": mended})
    after = {m.subject: m.value for m in CodingRate().measure(curated)}
    assert after["labels as collected"] < after["labels as curated"] < after["true labels"]
    loose = CodingRate(distortion=0.5).measure(run)
    assert loose[0].value < found["labels as collected"]
    assert CodingRate().measure(run.replace(collected=dataset.replace(features=None))) == ()
