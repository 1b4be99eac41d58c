import numpy as np
import pytest

from adc_core.dataset import Dataset
from adc_core.errors import InputError
from adc_plugins_detect.detectors.early_stop_ce import EarlyStopCe, early_stop_ce


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
        ({"epoch": 1, "flag_rate": 25}, "flag_rate is 25: expected a share in 0…1"),
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
