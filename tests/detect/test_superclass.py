import numpy as np
import pytest
from pydantic import ValidationError

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_detect.simulators.superclass import SuperclassNoise, superclass_transition

DATASET = Dataset(labels=np.arange(30_000) % 6, classes=tuple("abcdef"))


def test_the_worked_example(vectors):
    expected = vectors["noise_matrices"]["super_K6"]
    np.testing.assert_allclose(
        superclass_transition(6, [[0, 2], [1, 3, 4, 5]], 0.3), expected, atol=1e-12
    )


def test_labels_stay_within_their_group():
    simulator = SuperclassNoise(groups=(("a", "c"), ("b", "d", "e")), rate=0.4)
    corruption = simulator.corrupt(DATASET)
    group = np.array([0, 1, 0, 1, 1, 2])
    np.testing.assert_array_equal(group[corruption.labels], group[DATASET.labels])
    wrong = [corruption.mask[DATASET.labels == label].mean() for label in range(6)]
    np.testing.assert_allclose(wrong[:5], 0.4, atol=5 * np.sqrt(0.24 / 5000))
    assert wrong[5] == 0


def test_a_class_alone_keeps_its_labels():
    assert not SuperclassNoise(groups=(("a",),), rate=0.9).corrupt(DATASET).mask.any()


def test_bad_groups_are_named():
    with pytest.raises(InputError) as raised:
        SuperclassNoise(groups=(("a", "sea"),)).corrupt(DATASET)
    assert str(raised.value) == ('groups: there is no class "sea"; there is a, b, c, d, e, f')
    with pytest.raises(ValidationError) as invalid:
        SuperclassNoise(groups=(("a", "b"), ("b", "c")))
    assert [error["msg"] for error in invalid.value.errors()] == [
        "Value error, the class b is named twice: put it into one group"
    ]
