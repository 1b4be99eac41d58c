import numpy as np

from adc_core import Dataset, work_context
from adc_plugins_detect import SymmetricNoise, TrustedSplit
from adc_plugins_detect.simulators.long_tail import LongTail

DATASET = Dataset(labels=np.arange(1000) % 10)


def split(folder, dataset=DATASET, **options):
    with work_context(folder):
        corruption = TrustedSplit(**options).corrupt(dataset)
    return corruption, (folder / "trusted.txt").read_text().split()


def test_trusted_labels_stay_and_others_are_as_noisy_as_before(tmp_path):
    noise = SymmetricNoise(rate=0.6, seed=4)
    corruption, ids = split(tmp_path, simulator=noise, per_class=7)
    rows = np.array(ids).astype(int)
    assert np.bincount(DATASET.labels[rows]).tolist() == [7] * 10
    assert not corruption.mask[rows].any()
    others = np.delete(np.arange(1000), rows)
    np.testing.assert_array_equal(corruption.labels[others], noise.corrupt(DATASET).labels[others])
    np.testing.assert_array_equal(corruption.mask, corruption.labels != DATASET.labels)
    assert corruption.transition is None


def test_the_seed_draws_and_a_smaller_part_is_in_a_larger(tmp_path):
    noise = SymmetricNoise()
    few, more, other = (
        set(split(tmp_path, simulator=noise, per_class=count, seed=seed)[1])
        for count, seed in ((3, 0), (9, 0), (3, 1))
    )
    assert few < more
    assert few != other


def test_of_what_another_simulator_leaves(tmp_path):
    corruption, ids = split(tmp_path, simulator=LongTail(ratio=50), per_class=5)
    assert set(ids) <= set(corruption.rows_left(DATASET.ids).tolist())
    assert np.bincount(np.array(ids).astype(int) % 10).tolist() == [5] * 7 + [4, 3, 2]
