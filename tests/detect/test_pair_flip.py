import numpy as np
import pytest
from pydantic import ValidationError

from adc_core.records.dataset import Dataset
from adc_plugins_detect.simulators.pair_flip import PairFlipNoise, pair_flip_transition

DATASET = Dataset(labels=np.arange(40_000) % 4)


def test_the_worked_example(vectors):
    expected = vectors["noise_matrices"]["pair_K4_r03"]
    np.testing.assert_allclose(pair_flip_transition(4, 0.3), expected, atol=1e-12)


def test_pairs_flip_to_the_next_class():
    corruption = PairFlipNoise(rate=0.3).corrupt(DATASET)
    wrong = corruption.mask
    np.testing.assert_array_equal(corruption.labels[wrong], (DATASET.labels[wrong] + 1) % 4)
    assert abs(wrong.mean() - 0.3) < 5 * np.sqrt(0.21 / 40_000)


def test_lower_rates_are_nested_in_higher():
    low, high = (PairFlipNoise(rate=rate).corrupt(DATASET) for rate in (0.1, 0.4))
    assert (high.mask | ~low.mask).all()


def test_half_of_a_class_cannot_flip():
    with pytest.raises(ValidationError, match=r"less than 0\.5"):
        PairFlipNoise(rate=0.5)
