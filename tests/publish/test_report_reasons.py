"""Why a label is suspect: what the report reads out of a dataset's evidence."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from adc_core import Dataset, Dynamics, ImageFiles, Neighbors, Probabilities
from adc_core.reporting.html_pages import data_url
from adc_core.testing.toys import toy_dataset, toy_run
from adc_plugins_publish.html_report.reasons import SHOWN, reasons_of
from adc_plugins_publish.html_report.suspects import most_suspicious

CLASSES = ("cat", "dog", "fox")


def curves(values):
    matrix = np.array([values, values], np.float32)
    epochs = np.arange(matrix.shape[1])
    return Dynamics(
        epochs=epochs, given_probability=matrix, margin=matrix, loss=matrix, correct=matrix
    )


def reasons(**evidence):
    return reasons_of(Dataset(labels=[0, 1], classes=CLASSES, ids=["x", "y"], **evidence), 0)


def test_without_evidence_there_are_no_reasons():
    found = reasons()
    assert (found.neighbors, found.runner_up, found.curve) == (None, None, None)


def test_neighbors_are_counted_and_the_nearest_shown():
    dataset = toy_dataset()
    row = 3
    found = reasons_of(dataset, row).neighbors
    nearest = dataset.neighbors.indices[row]
    assert found.known == len(nearest)
    assert found.others == (dataset.labels[nearest] != dataset.labels[row]).sum()
    assert [near.id for near in found.nearest] == dataset.ids[nearest[:SHOWN]].tolist()
    assert all(
        near.agrees == (near.label == dataset.classes[dataset.labels[row]])
        for near in found.nearest
    )
    image = base64.b64decode(found.nearest[0].image.partition(",")[2])
    assert Image.open(io.BytesIO(image)).size == (48, 48)


def test_neighbors_without_images_have_no_images():
    graph = Neighbors(indices=[[1], [0]], similarities=[[1], [1]])
    (near,) = reasons(neighbors=graph).neighbors.nearest
    assert (near.id, near.label, near.agrees, near.image) == ("y", "dog", False, "")


@pytest.mark.parametrize(
    ("row", "given", "rival", "margin"),
    [([0.1, 0.2, 0.7], 0.1, "fox", -0.6), ([0.9, 0.05, 0.05], 0.9, "dog", 0.85)],
)
def test_the_rival_is_the_strongest_other_class(row, given, rival, margin):
    values = Probabilities(values=[row, row], origin="in sample")
    runner_up = reasons(probabilities=values).runner_up
    assert (runner_up.rival, runner_up.origin) == (rival, "in sample")
    assert runner_up.given == pytest.approx(given)
    assert runner_up.margin == pytest.approx(margin)


def test_a_curve_runs_from_bottom_to_top():
    curve = reasons(dynamics=curves([0.0, 0.5, 1.0])).curve
    assert (curve.first, curve.last, curve.epochs) == (0.0, 1.0, 3)
    assert curve.points == "0,32 60,16 120,0"


def test_long_trainings_keep_their_ends_and_few_points():
    curve = reasons(dynamics=curves(np.linspace(1, 0, 1000))).curve
    points = curve.points.split()
    assert len(points) == 60
    assert (points[0], points[-1]) == ("0,0", "120,32")


def test_one_epoch_is_no_curve():
    assert reasons(dynamics=curves([0.5])).curve is None


def test_a_curve_leaves_out_epochs_that_did_not_see_the_sample():
    curve = reasons(dynamics=curves([np.nan, 0.0, np.nan, 1.0, np.nan])).curve
    assert (curve.first, curve.last, curve.epochs) == (0.0, 1.0, 5)
    assert curve.points == "30,32 90,0"
    assert reasons(dynamics=curves([np.nan, 0.5, np.nan])).curve is None


def test_an_image_that_cannot_be_opened_is_left_out(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not an image")
    images = ImageFiles(tmp_path, ["broken.png", "gone.png"])
    assert (data_url(images, 0, 48), data_url(images, 1, 48), data_url(None, 0, 48)) == ("", "", "")


def test_suspects_are_the_flagged_with_what_each_detector_says():
    run = toy_run()
    found = run.findings["toy"]
    unsure = found.replace(
        suspicion=np.where(found.flagged, np.nan, 0.5),
        flagged=np.zeros(len(found.ids), bool),
        covered=~found.flagged,
    )
    suspects = most_suspicious(run.replace(findings={"toy": found, "unsure": unsure}))
    assert {suspect.id for suspect in suspects} <= set(found.ids[found.flagged])
    assert len(suspects) == found.flagged.sum()
    toy, other = suspects[0].votes
    assert (toy.detector, toy.suspicion, toy.flagged) == ("toy", 0.9, True)
    assert toy.suggestion in run.collected.classes
    assert (other.detector, other.suspicion, other.flagged) == ("unsure", None, False)
