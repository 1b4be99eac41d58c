"""Accuracy against sets of right labels: the worked example, reductions, edges and a run."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adc_core import Dataset, InputError, Predictions, Run, Training, read_dataset, save_dataset
from adc_plugins_learn import LabelSetAccuracy, label_set_accuracy

SCORES = np.array(
    [
        [5, 4, 1, 0, 0],
        [1, 5, 4, 3, 0],
        [0, 1, 5, 4, 3],
        [3, 3, 1, 0, 5],
        [5, 1, 0, 4, 2],
        [1, 2, 3, 4, 5],
        [2, 5, 1, 1, 0],
        [4, 0, 5, 1, 3],
    ]
)
SETS = np.zeros((8, 5), np.int8)
SETS[[0, 1, 1, 2, 2, 3, 3, 4, 4, 6, 7], [0, 2, 3, 2, 4, 0, 1, 1, 2, 1, 0]] = 1
UNCLEAR = np.zeros((8, 5), np.int8)
UNCLEAR[[1, 5], [1, 4]] = 1
LABELS = np.array([0, 1, 2, 0, 1, 4, 1, 2])
PROBLEMATIC = np.arange(8) == 4


def test_worked_example():
    found = label_set_accuracy(SCORES, SETS, LABELS, unclear=UNCLEAR, problematic=PROBLEMATIC)
    assert (found.top1, found.real, found.label_set) == (0.75, pytest.approx(3 / 7), 0.75)
    np.testing.assert_allclose(found.top_k, [1, 0.5, 0.5, 0.5, 0, np.nan, 1, 0])
    assert found.by_count == {1: pytest.approx(2 / 3), 2: 0.375}
    assert found.asma == pytest.approx(0.5208333333333333)
    assert (found.judged, found.classes_without) == (1, 1)


def test_unclear_labels_and_problematic_samples_change_the_mean_over_classes():
    figures = {
        label_set_accuracy(SCORES, SETS, LABELS, unclear=u, problematic=p).label_set
        for u in (None, UNCLEAR)
        for p in (None, PROBLEMATIC)
    }
    assert len(figures) == 4


def test_sets_of_one_label_are_plain_accuracy():
    rng = np.random.default_rng(0)
    scores, labels = rng.random((60, 4)), np.arange(60) % 4
    found = label_set_accuracy(scores, np.eye(4, dtype=bool)[labels], labels)
    assert found.top1 == found.real == pytest.approx(found.asma)
    assert found.label_set == pytest.approx(found.top1)  # classes of equal size
    names = np.array([2, 0, 3, 1])
    order = np.argsort(names)
    again = label_set_accuracy(scores[:, order], np.eye(4)[names[labels]], names[labels])
    assert (again.real, again.label_set) == (found.real, pytest.approx(found.label_set))


def test_what_nobody_judged_is_neither_right_nor_wrong():
    sets = SETS.copy()
    sets[7, 2] = -1  # the prediction of the last sample, which was a mistake
    found = label_set_accuracy(SCORES, sets, LABELS)
    assert found.judged == 7 / 8
    assert found.real == 3 / 6
    assert np.isnan(found.top_k[7])
    nothing = label_set_accuracy(SCORES, np.full((8, 5), -1), LABELS)
    assert np.isnan([nothing.real, nothing.label_set, nothing.asma]).all()
    assert nothing.judged == 0


def test_bad_input_is_named():
    for arrays, message in (
        (
            (SCORES, SETS[:, :4], LABELS),
            "label_sets: expected (8, 5), a row per sample",
        ),
        ((SCORES, SETS * 2, LABELS), "label_sets: row 0 holds something else than 1, 0 and -1"),
        ((SCORES, SETS, LABELS[:3]), "scores are (8, 5) for 3 labels"),
    ):
        with pytest.raises(InputError) as caught:
            label_set_accuracy(*arrays)
        assert str(caught.value).startswith(message)


@pytest.fixture(scope="module")
def run():
    test = Dataset(
        labels=LABELS,
        classes=tuple("abcde"),
        columns={"label_sets": SETS, "unclear_sets": UNCLEAR, "problematic": PROBLEMATIC},
    )
    shares = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
    predictions = Predictions(probabilities=shares.astype(np.float32), classes=test.classes)
    trainings = (
        Training(learner="one", trained_on="raw", predictions=predictions),
        Training(learner="no", trained_on="raw"),
    )
    return Run(collected=test, trainings=trainings, test=test)


def test_a_run(run):
    found = LabelSetAccuracy().measure(run)
    assert {m.metric: m.value for m in found if not m.detail} == {
        "top-1 accuracy": 0.75,
        "ReaL accuracy": pytest.approx(3 / 7),
        "label-set accuracy": 0.75,
        "variable top-k accuracy": 0.5,
        "ASMA": pytest.approx(0.5208333333333333),
        "judged predictions": 1,
        "samples with several labels": 0.5,
    }
    assert {m.metric: m.value for m in found if m.detail} == {
        "variable top-k accuracy with k = 1 (3 samples)": pytest.approx(2 / 3),
        "variable top-k accuracy with k = 2 (4 samples)": 0.375,
        "classes without samples": 1,
    }
    assert LabelSetAccuracy().measure(run.replace(test=None)) == ()
    with pytest.raises(InputError, match="the test set has no column label_sets: give it one"):
        LabelSetAccuracy().measure(run.replace(test=run.test.replace(columns={})))


def test_label_sets_survive_saving_and_come_from_files(run, tmp_path):
    save_dataset(run.test, tmp_path / "saved")
    saved = read_dataset(tmp_path / "saved").columns
    assert saved.keys() == run.test.columns.keys()
    for name, column in run.test.columns.items():
        np.testing.assert_array_equal(saved[name], column)
        assert saved[name].dtype == column.dtype
    table = {"label": ["b", "a"], "label_sets": [[1, 1], [1, -1]], "unclear_sets": [[0, 0]] * 2}
    table["problematic"] = [True, None]
    pq.write_table(pa.table(table), tmp_path / "table.parquet")
    arrays = {"label_sets": np.array([[1, 1], [1, -1]]), "problematic": np.array([True, False])}
    np.savez(tmp_path / "arrays.npz", labels=[1, 0], **arrays)
    for name in ("table.parquet", "arrays.npz"):
        dataset = read_dataset(tmp_path / name)
        assert dataset.columns["label_sets"].tolist() == [[1, 1], [1, -1]]
        assert dataset.columns["problematic"].tolist() == [True, False]
        assert dataset.sources is None
