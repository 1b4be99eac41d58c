import numpy as np
import pytest

from adc_core.components.interfaces import Learner
from adc_core.errors import InputError
from adc_core.images.sequence import ImageArray
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Probabilities
from adc_core.records.model import Model, Predictions
from adc_plugins_detect.detectors.early_stop_ce import EarlyStopCe, early_stop_ce

PREDICTED = np.array([[0.7, 0.2, 0.1], [0.9, 0.05, 0.05], [0.3, 0.3, 0.4]], np.float32)


class Constant(Model):
    """A model that predicts one of a few rows, by the brightness of an image."""

    classes = ("a", "b", "c")
    history = ()
    dynamics = None

    def predict(self, images):
        rows = [int(image[0, 0, 0]) for image in images]
        return Predictions(probabilities=PREDICTED[rows], classes=self.classes)

    def save(self, folder):
        raise NotImplementedError

    @classmethod
    def load(cls, folder):
        raise NotImplementedError


class Stopped(Learner):
    """Learns nothing."""

    requires = ("images", "features")
    model = Constant

    def learn(self, dataset, validation=None):
        return Constant()


def test_worked_example(vectors):
    example = vectors["earlystop_ce"]
    confidence = np.array(example["confidence"])
    findings = early_stop_ce(np.zeros(8, int), confidence[:, None], epoch=1)
    assert np.flatnonzero(findings.flagged).tolist() == example["removed"]
    np.testing.assert_allclose(findings.suspicion, 1 - confidence, atol=1e-12)


def test_the_whole_part_of_the_share_and_of_equals_the_first():
    findings = early_stop_ce(np.zeros(7, int), np.full((7, 2), 0.5), flag_rate=0.5)
    assert np.flatnonzero(findings.flagged).tolist() == [0, 1, 2]


def test_judges_by_one_epoch(trained):
    probability = trained.dynamics.given_probability
    for epoch in (1, 2):
        findings = early_stop_ce(trained.labels, trained.dynamics, epoch=epoch)
        expected = 1 - probability[:, epoch - 1].astype(float)
        np.testing.assert_array_equal(findings.suspicion, expected)
    assert early_stop_ce(trained.labels, probability) == findings


def test_ranks_planted_noise_first(trained):
    findings = early_stop_ce(trained.labels, trained.dynamics)
    assert findings.flagged.sum() == 250
    assert trained.wrong[findings.flagged].mean() > 0.99


def test_order_memory_maps_and_inputs(trained, tmp_path):
    np.save(tmp_path / "probability.npy", trained.dynamics.given_probability)
    mapped = np.load(tmp_path / "probability.npy", mmap_mode="r")
    findings = early_stop_ce(trained.labels, mapped)
    assert findings == early_stop_ce(trained.labels, trained.dynamics)
    order = np.random.default_rng(1).permutation(1000)
    permuted = early_stop_ce(trained.labels[order], trained.dynamics.given_probability[order])
    np.testing.assert_array_equal(permuted.suspicion, findings.suspicion[order])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "epoch 2 was not recorded: choose one of 1"),
        ({"epoch": 1, "flag_rate": 25}, "flag_rate: Input should be less than or equal to 1"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(InputError) as raised:
        early_stop_ce([0, 1], [[0.5], [0.4]], **options)
    assert str(raised.value) == message


def test_component_reads_dynamics(trained):
    dataset = Dataset(labels=trained.labels, dynamics=trained.dynamics)
    expected = early_stop_ce(trained.labels, trained.dynamics, epoch=1, flag_rate=0.3)
    assert EarlyStopCe(epoch=1, flag_rate=0.3).detect(dataset) == expected


def test_predictions_of_a_stopped_model():
    labels, evidence = [0, 1, 2], Probabilities(values=PREDICTED, origin="in sample")
    findings = early_stop_ce(labels, evidence, flag_rate=0.4)
    np.testing.assert_allclose(findings.suspicion, [0.3, 0.95, 0.6], atol=1e-7)
    assert findings.flagged.tolist() == [False, True, False]
    ambiguous = early_stop_ce(labels, evidence, flag_rate=0.4, confidence_in="max")
    np.testing.assert_allclose(ambiguous.suspicion, [0.3, 0.1, 0.6], atol=1e-7)
    assert ambiguous.flagged.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], "probabilities have 3 rows but there are 2 labels: give one row per sample"),
        ([0, 1, 3], "labels: row 2 is 3, expected 0…2"),
    ],
)
def test_predictions_that_do_not_fit(labels, message):
    with pytest.raises(InputError) as raised:
        early_stop_ce(labels, Probabilities(values=PREDICTED, origin="in sample"))
    assert str(raised.value) == message


def test_only_predictions_know_the_most_probable_label():
    with pytest.raises(InputError) as raised:
        early_stop_ce([0, 1], [[0.5], [0.4]], epoch=1, confidence_in="max")
    assert str(raised.value) == (
        "dynamics know the probability of the given label alone: give Probabilities, or set "
        "confidence_in to given"
    )
    with pytest.raises(ValueError, match="confidence_in: max needs a learner: dynamics know the"):
        EarlyStopCe(confidence_in="max")


def test_component_trains_its_learner_and_predicts():
    images = np.zeros((3, 2, 2, 3), np.uint8) + np.arange(3, dtype=np.uint8)[:, None, None, None]
    dataset = Dataset(labels=[2, 1, 0], classes=tuple("abc"), images=ImageArray(images))
    evidence = Probabilities(values=PREDICTED, origin="in sample")
    for confidence_in in ("given", "max"):
        detector = EarlyStopCe(learner=Stopped(), flag_rate=0.4, confidence_in=confidence_in)
        assert detector.detect(dataset) == early_stop_ce(
            dataset.labels, evidence, flag_rate=0.4, confidence_in=confidence_in
        )


def test_component_needs_what_its_learner_needs_and_images():
    assert EarlyStopCe().required_columns == ("dynamics",)
    assert EarlyStopCe(learner=Stopped()).required_columns == ("images", "features")
    with pytest.raises(InputError) as raised:
        EarlyStopCe(learner=Stopped()).detect(Dataset(labels=[0, 1]))
    assert str(raised.value) == (
        'the dataset has no column "images": a collector or a folder of images adds it'
    )
