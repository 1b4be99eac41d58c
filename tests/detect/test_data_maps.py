import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Dynamics
from adc_plugins_detect.detectors.data_maps import DataMaps, data_map, data_maps


def dynamics_with(given_probability):
    shape = np.shape(given_probability)
    nothing = np.zeros(shape)
    return Dynamics(
        epochs=np.arange(1, shape[1] + 1),
        given_probability=given_probability,
        margin=nothing,
        loss=nothing,
        correct=np.asarray(given_probability) > 0.5,
    )


def test_worked_example(vectors):
    example = vectors["cartography"]
    coordinates = data_map(dynamics_with(example["p_given"]))
    # The record holds single precision.
    np.testing.assert_allclose(coordinates.confidence, example["confidence"], atol=2.0**-24)
    np.testing.assert_allclose(coordinates.variability, example["variability"], atol=2.0**-24)
    np.testing.assert_array_equal(coordinates.correctness, [0.5, 0, 1])
    findings = data_maps([0, 1, 0], example["p_given"], flag_rate=0.4)
    np.testing.assert_allclose(1 - findings.suspicion, example["confidence"], atol=1e-12)
    assert findings.flagged.tolist() == [False, True, False]


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 30), E=st.integers(1, 9))
def test_coordinates_stay_on_the_map(seed, rows, E):
    random = np.random.default_rng(seed)
    curves = random.random((rows, E))
    curves[0] = curves[0, 0]
    curves[rows // 2] = np.round(curves[rows // 2])
    confidence, variability, correctness = data_map(dynamics_with(curves))
    for shares in (confidence, correctness):
        assert ((shares >= 0) & (shares <= 1)).all()
    assert ((variability >= 0) & (variability <= 0.5)).all()
    assert (variability == 0).tolist() == (np.ptp(np.float32(curves), axis=1) == 0).tolist()
    bound = np.sqrt(confidence * (1 - confidence))
    assert (variability <= bound + 1e-9).all()


def test_ranks_planted_noise_first(trained):
    findings = data_maps(trained.labels, trained.dynamics, flag_rate=0.25)
    assert findings.flagged.sum() == 250
    assert trained.wrong[findings.flagged].mean() > 0.99
    np.testing.assert_array_equal(findings.suspicion, 1 - data_map(trained.dynamics).confidence)


def test_order_memory_maps_and_inputs(trained, tmp_path):
    np.save(tmp_path / "probability.npy", trained.dynamics.given_probability)
    mapped = np.load(tmp_path / "probability.npy", mmap_mode="r")
    findings = data_maps(trained.labels, mapped)
    assert findings == data_maps(trained.labels, trained.dynamics)
    order = np.random.default_rng(1).permutation(1000)
    permuted = data_maps(trained.labels[order], trained.dynamics.given_probability[order])
    np.testing.assert_array_equal(permuted.suspicion, findings.suspicion[order])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])


def test_bad_input_is_named():
    for rate, curves, message in [
        (2, [[0.5]], "flag_rate: Input should be less than or equal to 1"),
        (
            0.1,
            [[1.5]],
            "given_probability: row 0 leaves 0…1: expected probabilities of every epoch",
        ),
    ]:
        with pytest.raises(InputError) as raised:
            data_maps([0], curves, flag_rate=rate)
        assert str(raised.value) == message


def test_component_reads_dynamics(trained):
    dataset = Dataset(labels=trained.labels, dynamics=trained.dynamics)
    expected = data_maps(trained.labels, trained.dynamics, flag_rate=0.3)
    assert DataMaps(flag_rate=0.3).detect(dataset) == expected
