import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Dynamics
from adc_plugins_detect.detectors import lstm_dynamics as module
from adc_plugins_detect.detectors.lstm_dynamics import (
    SHIPPED,
    LstmDynamics,
    fill_gaps,
    lstm_dynamics,
    resample,
)
from adc_plugins_detect.dynamics.lstm_network import read_network
from adc_plugins_detect.metrics.detection import rank_figures


def test_resampling_of_the_worked_example():
    series = np.array([[0.1, 0.3, 0.2, 0.8, 0.9]])
    expected = [[0.1, 0.2, 0.3, 0.25, 0.2, 0.5, 0.8, 0.85, 0.9]]
    np.testing.assert_allclose(resample(series, 9), expected, atol=1e-12)
    np.testing.assert_allclose(resample(series, 3), [[0.1, 0.2, 0.9]], atol=1e-12)


def test_gaps_of_the_worked_example():
    series = np.array([[0.1, np.nan, np.nan, 0.4, np.nan], [np.nan, np.nan, 0.7, 0.2, 0.1]])
    expected = [[0.1, 0.2, 0.3, 0.4, 0.4], [0.7, 0.7, 0.7, 0.2, 0.1]]
    np.testing.assert_allclose(fill_gaps(series), expected, atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
def test_resampling_keeps_ends_range_and_straight_lines(epochs, length, seed):
    curves = np.random.default_rng(seed).random((5, epochs))
    values = resample(curves, length)
    assert values.shape == (5, length)
    np.testing.assert_array_equal(values[:, 0], curves[:, 0])
    if length > 1:
        np.testing.assert_allclose(values[:, -1], curves[:, -1], atol=1e-12)
    assert values.min() >= curves.min() - 1e-12 and values.max() <= curves.max() + 1e-12
    np.testing.assert_allclose(resample(curves, epochs), curves, atol=1e-12)
    line = np.linspace(0, 1, epochs)[None]
    if epochs > 1:
        np.testing.assert_allclose(resample(line, length)[0], np.linspace(0, 1, length), atol=1e-12)


def test_time_is_that_of_the_epochs():
    curves = np.array([[0.0, 0.2, 0.8]])
    np.testing.assert_allclose(
        resample(curves, 5, np.array([1, 2, 5])), [[0.0, 0.2, 0.4, 0.6, 0.8]], atol=1e-12
    )


def test_judges_planted_noise(trained):
    findings = lstm_dynamics(trained.labels, trained.dynamics)
    figures = rank_figures(trained.wrong, findings.suspicion)
    assert figures.average_precision > 0.99
    assert (findings.flagged == (findings.suspicion >= 0.5)).all()
    assert findings.noise_rate == findings.suspicion.mean()
    mean = trained.dynamics.given_probability.mean(axis=1)
    assert np.corrcoef(findings.suspicion, mean)[0, 1] < -0.5


def test_is_the_network_on_resampled_curves(trained):
    network = read_network(SHIPPED)
    series = resample(trained.dynamics.given_probability, network.length).astype(np.float32)
    expected = network.suspicion(series)
    findings = lstm_dynamics(trained.labels, trained.dynamics)
    np.testing.assert_allclose(findings.suspicion, expected, atol=1e-6)


def test_the_same_bytes_whatever_the_threads_and_the_other_samples(trained):
    findings = lstm_dynamics(trained.labels, trained.dynamics)
    for threads in (1, 2, 4):
        with threadpool_limits(threads, "blas"):
            again = lstm_dynamics(trained.labels, trained.dynamics)
        assert again.suspicion.tobytes() == findings.suspicion.tobytes()
    few = lstm_dynamics(trained.labels[:7], trained.dynamics.given_probability[:7])
    assert few.suspicion.tobytes() == findings.suspicion[:7].tobytes()


@pytest.mark.parametrize("rows", [16, 100, 1024])
def test_the_size_of_a_chunk_does_not_matter(trained, monkeypatch, rows):
    findings = lstm_dynamics(trained.labels, trained.dynamics)
    monkeypatch.setattr(module, "_ROWS", rows)
    again = lstm_dynamics(trained.labels, trained.dynamics)
    np.testing.assert_allclose(again.suspicion, findings.suspicion, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_types_memory_maps_and_order(trained, tmp_path, dtype):
    half = trained.dynamics.given_probability.astype(np.float16)
    expected = lstm_dynamics(trained.labels, half)
    np.save(tmp_path / "curves.npy", half.astype(dtype))
    mapped = np.load(tmp_path / "curves.npy", mmap_mode="r")
    assert lstm_dynamics(trained.labels, mapped) == expected
    order = np.random.default_rng(1).permutation(1000)
    permuted = lstm_dynamics(trained.labels[order], half[order])
    np.testing.assert_allclose(permuted.suspicion, expected.suspicion[order], atol=1e-6)


def test_gaps_are_filled_and_nothing_is_padded(trained):
    curves = trained.dynamics.given_probability.astype(np.float64)
    line = np.linspace(curves[:, :1], curves[:, -1:], 6, axis=1)[..., 0]
    gaps = line.copy()
    gaps[:, 2:5] = np.nan
    expected = lstm_dynamics(trained.labels, line)
    np.testing.assert_allclose(
        lstm_dynamics(trained.labels, gaps).suspicion, expected.suspicion, atol=1e-6
    )
    ends = lstm_dynamics(trained.labels, line[:, [0, -1]])
    np.testing.assert_allclose(ends.suspicion, expected.suspicion, atol=1e-6)


def test_irregular_epochs_are_spread_over_time(trained):
    regular = np.linspace(0, 1, 5)[None] * trained.dynamics.given_probability[:, -1:]
    places = np.array([0, 1, 4])
    some = np.ascontiguousarray(regular[:, places])
    dynamics = Dynamics(
        epochs=places + 1, given_probability=some, margin=some, loss=some, correct=some
    )
    np.testing.assert_allclose(
        lstm_dynamics(trained.labels, dynamics).suspicion,
        lstm_dynamics(trained.labels, regular).suspicion,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        (
            [[0.5, np.nan], [np.nan, np.nan]],
            "given_probability: row 1 was seen in no epoch: leave it out",
        ),
        (
            [[0.5, 0.5], [0.2, 1.5]],
            "given_probability: row 1 leaves 0…1: expected probabilities of every epoch",
        ),
        (
            [[0.5, np.inf], [0.2, np.nan]],
            "given_probability: row 0 is not finite (NaN or infinity)",
        ),
        (
            [0.5, 0.5],
            "given_probability: expected a matrix of numbers with one row per sample, "
            "got float64 (2,)",
        ),
    ],
)
def test_bad_input_is_named(curves, message):
    with pytest.raises(InputError) as raised:
        lstm_dynamics([0, 1], curves)
    assert str(raised.value) == message


def test_component_reads_dynamics_and_weights(trained, tmp_path):
    dataset = Dataset(labels=trained.labels, dynamics=trained.dynamics)
    expected = lstm_dynamics(trained.labels, trained.dynamics)
    assert LstmDynamics().detect(dataset) == expected
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(SHIPPED.read_bytes())
    assert LstmDynamics(weights=copy).detect(dataset) == expected
    described = json.dumps(LstmDynamics(weights=copy).identity)
    assert str(tmp_path) not in described, "a file counts by its content, wherever it lies"
