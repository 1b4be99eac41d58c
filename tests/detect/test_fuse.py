"""Two tables of probabilities as one: the worked example, ends, zeros and shapes."""

import numpy as np
import pytest

from adc_core import InputError, Probabilities
from adc_plugins_detect import fuse

FIRST = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
SECOND = np.array([[0.4, 0.5, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])


def test_worked_example():
    linear = [[0.55, 0.35, 0.1], [0.15, 0.65, 0.2], [0.2, 0.2, 0.6]]
    np.testing.assert_allclose(fuse(FIRST, SECOND), linear)
    log = [
        [0.5597234613160675, 0.3344987471403184, 0.10577779154361405],
        [0.14932324852776016, 0.667793868658334, 0.18288288281390583],
        [0.1898979485566356, 0.1898979485566356, 0.6202041028867288],
    ]
    np.testing.assert_allclose(fuse(FIRST, SECOND, how="log"), log)


@pytest.mark.parametrize("how", ["linear", "log"])
def test_the_ends_are_one_table(how):
    np.testing.assert_allclose(fuse(FIRST, SECOND, 1, how), FIRST)
    np.testing.assert_allclose(fuse(FIRST, SECOND, 0, how), SECOND)


def test_zeros_leave_numbers():
    pooled = fuse(np.eye(3), np.eye(3)[[1, 2, 0]], how="log")
    assert np.isfinite(pooled).all()
    np.testing.assert_allclose(pooled.sum(axis=1), 1)


def test_bad_input_is_named():
    seen = Probabilities(values=FIRST, origin="in sample")
    for arguments, message in (
        ((FIRST, SECOND[:, :2]), "probabilities are (3, 3) and (3, 2): give equal shapes"),
        ((FIRST, SECOND, 2), "weight: Input should be less than or equal to 1"),
        ((seen, SECOND), "the probabilities are in sample"),
    ):
        with pytest.raises(InputError) as caught:
            fuse(*arguments)
        assert str(caught.value).startswith(message)
