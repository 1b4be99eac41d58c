import numpy as np
import pytest

from adc_core import Dataset, InputError
from adc_plugins_detect import Tiny
from adc_plugins_detect.simulators.tiny import stratified

DATASET = Dataset(labels=np.repeat([0, 1, 2], [700, 200, 100]))


def test_classes_keep_their_shares():
    left = Tiny(total=50).corrupt(DATASET).applied_to(DATASET)
    assert left.class_counts.tolist() == [35, 10, 5]
    assert len(left) == 50


@pytest.mark.parametrize("total", [1, 7, 33, 999, 1000])
def test_the_total_is_exact_and_shares_are_within_a_sample(total):
    kept = stratified(DATASET.labels, total, np.random.default_rng(1).random(1000))
    counts = np.bincount(DATASET.labels[kept], minlength=3)
    assert counts.sum() == total
    assert np.abs(counts - total * np.array([0.7, 0.2, 0.1])).max() < 1


def test_samples_of_a_smaller_total_are_among_those_of_a_larger():
    small, large = (Tiny(total=total, seed=2).corrupt(DATASET).kept for total in (100, 400))
    assert (large | ~small).all()
    assert (Tiny(total=100, seed=3).corrupt(DATASET).kept != small).any()


def test_no_label_changes():
    corruption = Tiny(total=100).corrupt(DATASET)
    assert not corruption.mask.any()
    np.testing.assert_array_equal(corruption.labels, DATASET.labels)


def test_more_than_there_are():
    with pytest.raises(InputError) as error:
        Tiny(total=1001).corrupt(DATASET)
    assert str(error.value) == "total is 1,001 but there are 1,000 samples: lower it"
