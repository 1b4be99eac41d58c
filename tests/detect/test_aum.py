import numpy as np
import pytest

from adc_core.components.interfaces import Learner
from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Dynamics
from adc_core.records.model import Model
from adc_plugins_detect.detectors.aum import Aum, aum
from adc_plugins_detect.dynamics.threshold_samples import (
    combine_runs,
    draw_threshold_samples,
    with_extra_class,
)
from adc_plugins_detect.scoring import softsign_to_unit


class Remembered(Model):
    """A model that is nothing but what its training saw."""

    history = ()

    def __init__(self, dataset, dynamics):
        self.classes, self.dynamics = dataset.classes, dynamics

    def predict(self, images):
        raise NotImplementedError

    def save(self, folder):
        raise NotImplementedError

    @classmethod
    def load(cls, folder):
        raise NotImplementedError


class LinearMargins(Learner):
    """A linear classifier on one-hot images, whose logits grow with the epochs."""

    requires = ("images",)
    model = Remembered
    epochs: int = 6
    remembers: bool = True

    def learn(self, dataset, validation=None):
        pixels = np.stack(list(dataset.images)).reshape(len(dataset), -1) / 255
        of_class = np.eye(len(dataset.classes))[dataset.labels]
        weights = np.linalg.solve(pixels.T @ pixels + np.eye(pixels.shape[1]), pixels.T @ of_class)
        logits = pixels @ weights * 10
        rows = np.arange(len(dataset))
        given = logits[rows, dataset.labels]
        logits[rows, dataset.labels] = -np.inf
        margin = (given - logits.max(axis=1))[:, None] * np.arange(1, self.epochs + 1)
        zeros = np.zeros_like(margin)
        dynamics = Dynamics(
            epochs=np.arange(self.epochs),
            given_probability=zeros,
            margin=margin,
            loss=zeros,
            correct=zeros,
        )
        return Remembered(dataset, dynamics if self.remembers else None)


@pytest.fixture(scope="module")
def images():
    """600 images of four pixels, one of them bright, which is the class; 20 % mislabelled."""
    random = np.random.default_rng(5)
    truth = np.arange(600) % 4
    pixels = random.integers(0, 60, (600, 4), dtype=np.uint8)
    pixels[np.arange(600), truth] += 150
    wrong = random.random(600) < 0.2
    labels = np.where(wrong, (truth + random.integers(1, 4, 600)) % 4, truth)
    images = np.repeat(pixels.reshape(600, 2, 2, 1), 3, axis=3)
    return Dataset(labels=labels, classes=tuple("abcd"), images=images), wrong


def areas_of(findings):
    """The area that was squashed."""
    centered = 1 - 2 * findings.suspicion
    return centered / (1 - np.abs(centered))


def test_worked_example(vectors):
    example = vectors["aum"]
    findings = aum(example["labels"], example["margins"], skip_epochs=0)
    np.testing.assert_allclose(areas_of(findings), example["aum"], atol=1e-9)
    findings = aum(example["labels"], example["margins"])
    np.testing.assert_allclose(areas_of(findings), example["aum_skip_first_epoch"], atol=1e-9)


def test_areas_of_the_papers_repository(vectors):
    rows = np.array(list(vectors["aum"]["repo_readme"].values()))
    findings = aum([0, 0, 0], rows[:, :2], skip_epochs=0, flag_rate=0.4)
    np.testing.assert_allclose(areas_of(findings), rows[:, 2], atol=1e-9)
    assert findings.flagged.tolist() == [False, True, False]
    assert findings.noise_rate is None


def test_threshold_of_the_worked_example(vectors):
    example = vectors["aum_threshold"]
    areas = np.concatenate([example["sample_aum"], np.linspace(-3, 1, 101)])
    extra = np.arange(107) >= 6
    findings = aum(np.zeros(107, int), areas[:, None], skip_epochs=0, threshold_samples=extra)
    assert findings.flagged[:6].tolist() == example["flag"]
    np.testing.assert_array_equal(findings.covered, ~extra)
    assert np.isnan(findings.suspicion[extra]).all() and not findings.flagged[extra].any()
    np.testing.assert_allclose(findings.suspicion[:6], softsign_to_unit(-areas[:6]), atol=1e-12)
    assert findings.noise_rate == 0.5


def test_ranks_planted_noise_first(trained):
    findings = aum(trained.labels, trained.dynamics, flag_rate=0.25)
    assert findings.flagged.sum() == 250
    assert trained.wrong[findings.flagged].mean() > 0.99
    assert findings.suspicion[findings.flagged].min() >= findings.suspicion[~findings.flagged].max()
    assert aum(trained.labels, trained.dynamics.margin, flag_rate=0.25) == findings


def test_order_memory_maps_and_inputs(trained, tmp_path):
    np.save(tmp_path / "margins.npy", trained.dynamics.margin)
    mapped = np.load(tmp_path / "margins.npy", mmap_mode="r")
    findings = aum(trained.labels, mapped)
    assert findings == aum(trained.labels, trained.dynamics)
    order = np.random.default_rng(1).permutation(1000)
    permuted = aum(trained.labels[order], trained.dynamics.margin[order])
    np.testing.assert_array_equal(permuted.suspicion, findings.suspicion[order])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"skip_epochs": 2}, "skip_epochs is 2 of 2 recorded epochs: choose one of 0…1"),
        ({"flag_rate": -1}, "flag_rate: Input should be greater than or equal to 0"),
        (
            {"threshold_samples": [0, 1]},
            "threshold_samples: expected one boolean for each of 2 samples, got int64 (2,)",
        ),
        (
            {"threshold_samples": [True, True]},
            "threshold_samples: 2 of 2 samples are, but some must be and some must not",
        ),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(InputError) as raised:
        aum([0, 1], [[0.5, 1.0], [-1.0, -2.0]], **options)
    assert str(raised.value) == message


def test_component_reads_dynamics(trained):
    dataset = Dataset(labels=trained.labels, dynamics=trained.dynamics)
    expected = aum(trained.labels, trained.dynamics, skip_epochs=3, flag_rate=0.3)
    assert Aum(skip_epochs=3, flag_rate=0.3).detect(dataset) == expected


def test_component_trains_twice_with_threshold_samples(images):
    dataset, wrong = images
    learner = LinearMargins()
    runs = []
    for mask in draw_threshold_samples(600, 4, seed=3):
        known = with_extra_class(dataset, mask)
        dynamics = learner.learn(known).dynamics
        runs.append(aum(known.labels, dynamics, threshold_samples=mask, ids=dataset.ids))
    findings = Aum(learner=learner, seed=3).detect(dataset)
    assert findings == combine_runs(runs)
    assert findings.covered.all()
    assert wrong[findings.flagged].mean() > 0.95
    assert findings.flagged[wrong].mean() > 0.95
    assert abs(findings.noise_rate - wrong.mean()) < 0.02


def test_component_needs_what_its_learner_needs():
    assert Aum().required_columns == ("dynamics",)
    assert Aum(learner=LinearMargins()).required_columns == ("images",)


def test_a_learner_that_records_nothing(images):
    with pytest.raises(InputError) as raised:
        Aum(learner=LinearMargins(remembers=False)).detect(images[0])
    assert str(raised.value) == (
        "the learner LinearMargins records no training dynamics: choose another"
    )
