import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from adc_plugins_learn.learners.symmetric_cross_entropy import (
    LOG_ZERO,
    reverse_cross_entropy,
    symmetric_cross_entropy,
)
from adc_plugins_learn.training.parts import cross_entropy

rows = st.lists(st.lists(st.floats(-30, 30), min_size=4, max_size=4), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("alpha", "beta", "log_zero"), [(0.1, 1.0, LOG_ZERO), (0.1, 1.0, -4.0), (6.0, 0.1, -4.0)]
)
def test_vectors(known, alpha, beta, log_zero):
    case = known("sce", f"alpha={alpha},beta={beta},A={log_zero:.4f}")
    case.agrees(symmetric_cross_entropy(case.Z, case.y, alpha, beta, log_zero))


@given(rows)
def test_without_the_reverse_it_is_cross_entropy(rows):
    logits = torch.tensor(rows, dtype=torch.float64)
    labels = torch.arange(len(rows)) % 4
    np.testing.assert_allclose(
        symmetric_cross_entropy(logits, labels, 1, 0), cross_entropy(logits, labels)
    )


@given(rows)
def test_reverse_losses_of_all_labels_sum_to_a_constant(rows):
    logits = torch.tensor(rows, dtype=torch.float64)
    each = [
        reverse_cross_entropy(logits, torch.full((len(rows),), label), -4) for label in range(4)
    ]
    np.testing.assert_allclose(torch.stack(each).sum(dim=0), 4 * 3, rtol=1e-12)
