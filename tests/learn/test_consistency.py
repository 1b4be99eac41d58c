import numpy as np
import pytest
import torch

from adc_plugins_learn.learners.sop import SparseOverParameterization
from adc_plugins_learn.methods.consistency import consistency_losses

PLAIN = torch.tensor(
    [[3.0, 0.0, 0.0], [0.5, 0.4, 0.3], [0.0, 2.5, -1.0], [1.0, 1.0, 1.2]], dtype=torch.float64
)


def test_vectors_of_unsupervised_data_augmentation(known):
    """Temperature 0.4, confidence 0.8: the first and third row are sure."""
    strong = known().Z2
    losses = consistency_losses(PLAIN, strong, 0.4, 0.8)
    expected = [0.5958428958105382, 0, 0.40355153508377395, 0]
    np.testing.assert_allclose(losses.detach(), expected, rtol=0, atol=1e-9)
    assert losses.mean().item() == pytest.approx(0.24984860772357803, abs=1e-9)
    losses = consistency_losses(PLAIN, strong, 0.4)
    expected = [0.5958428958105382, 0.20867966085095996, 0.40355153508377395, 0.4842887519858371]
    np.testing.assert_allclose(losses.detach(), expected, rtol=0, atol=1e-9)


def test_views_that_agree_cost_nothing_and_the_plain_one_gets_no_gradient(known):
    case = known()
    assert consistency_losses(case.Z, case.Z).abs().max().item() < 1e-12
    consistency_losses(case.Z, case.Z2).sum().backward()
    assert case.Z.grad is None
    expected = case.Z2.detach().softmax(dim=1) - case.Z.detach().softmax(dim=1)
    np.testing.assert_allclose(case.Z2.grad, expected, atol=1e-12)


def test_the_strong_view_has_further_changes():
    pixels = torch.full((40, 12, 12, 3), 200, dtype=torch.uint8)
    pixels[:, :6] = 20
    generator = torch.Generator().manual_seed(0)
    found = SparseOverParameterization(image_size=12).further(pixels, generator)
    # Half of the side is covered at most, by a grey that the image has nowhere else.
    mean = round(pixels.float().mean().item())
    assert (found != pixels).flatten(1).any(dim=1).all()
    assert found.float().mean(dim=(1, 2, 3)).std() > 5
    assert mean not in pixels.unique().tolist()
    none = SparseOverParameterization(strong_augment=()).further(pixels, generator)
    assert torch.equal(none, pixels)
    own = SparseOverParameterization(strong_augment=[{"use": "cutout", "length": 4}])
    covered = (own.further(pixels, generator) == mean).all(dim=3).flatten(1).sum(dim=1)
    assert ((covered > 0) & (covered <= 16)).all()
