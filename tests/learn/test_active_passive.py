import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from adc_plugins_learn.learners.active_passive import active_passive, normalized_cross_entropy

rows = st.lists(st.lists(st.floats(-30, 30), min_size=4, max_size=4), min_size=1, max_size=6)


def test_vectors(known):
    case = known("apl", "nce")
    case.agrees(normalized_cross_entropy(case.Z, case.y))
    case = known("apl", "nce+rce,alpha=1,beta=1")
    case.agrees(active_passive(case.Z, case.y))
    case = known("apl", "nce+mae,alpha=1,beta=1")
    case.agrees(active_passive(case.Z, case.y, passive="mae"))


@given(rows)
def test_normalized_losses_of_all_labels_sum_to_one(rows):
    logits = torch.tensor(rows, dtype=torch.float64)
    each = [normalized_cross_entropy(logits, torch.full((len(rows),), label)) for label in range(4)]
    np.testing.assert_allclose(torch.stack(each).sum(dim=0), 1, rtol=1e-9)
