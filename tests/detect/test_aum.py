import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc_core.dataset import Dataset
from adc_core.errors import InputError
from adc_plugins_detect.detectors.aum import Aum, aum, below_threshold
from adc_plugins_detect.detectors.flagging import squash


def areas_of(findings):
    """The area that was squashed."""
    centred = 1 - 2 * findings.suspicion
    return centred / (1 - np.abs(centred))


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
    np.testing.assert_allclose(findings.suspicion[:6], squash(-areas[:6]), atol=1e-12)
    assert findings.noise_rate == 0.5


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=20),
    st.lists(st.integers(-5, 5), min_size=1, max_size=250),
)
def test_below_the_threshold_more_than_one_in_a_hundred_are_larger(areas, extra):
    areas, extra = np.array(areas, float), np.array(extra, float)
    larger = (extra > areas[:, None]).sum(axis=1)
    np.testing.assert_array_equal(below_threshold(areas, extra), larger * 100 > len(extra))


def test_just_one_in_a_hundred_is_not_more():
    assert below_threshold(np.array([97.0, 98.0]), np.arange(100.0)).tolist() == [True, False]


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
        ({"flag_rate": -1}, "flag_rate is -1: expected a share in 0…1"),
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
