import numpy as np
import pytest

from adc_core.records.dataset import Dataset
from adc_plugins_detect.simulators.symmetric import SymmetricNoise, symmetric_transition

DATASET = Dataset(labels=np.arange(40_000) % 10)


def test_matrices_of_the_worked_examples(vectors):
    examples = vectors["noise_matrices"]
    np.testing.assert_allclose(
        symmetric_transition(4, 0.3), examples["symmetric_K4_r03"], atol=1e-12
    )
    inclusive = symmetric_transition(10, 0.5, inclusive=True)
    np.testing.assert_allclose(
        inclusive.diagonal(), examples["symmetric_inclusive_diag_K10_r05"], atol=1e-12
    )
    np.testing.assert_allclose(inclusive.sum(axis=1), 1)


@pytest.mark.parametrize(("inclusive", "wrong"), [(False, 0.4), (True, 0.36)])
def test_as_many_are_wrong_as_asked(inclusive, wrong):
    corruption = SymmetricNoise(rate=0.4, inclusive=inclusive).corrupt(DATASET)
    deviation = np.sqrt(wrong * (1 - wrong) / 40_000)
    assert abs(corruption.mask.mean() - wrong) < 5 * deviation
    np.testing.assert_array_equal(corruption.mask, corruption.labels != DATASET.labels)


@pytest.mark.parametrize("inclusive", [False, True])
def test_lower_rates_are_nested_in_higher(inclusive):
    low, high = (
        SymmetricNoise(rate=rate, inclusive=inclusive, seed=4).corrupt(DATASET)
        for rate in (0.2, 0.6)
    )
    assert (high.mask | ~low.mask).all()
    np.testing.assert_array_equal(high.labels[low.mask], low.labels[low.mask])


def test_the_extremes():
    assert not SymmetricNoise(rate=0).corrupt(DATASET).mask.any()
    assert SymmetricNoise(rate=1).corrupt(DATASET).mask.all()


def test_the_seed_decides():
    one, same, other = (SymmetricNoise(seed=seed).corrupt(DATASET) for seed in (1, 1, 2))
    assert one == same
    assert one != other
