import numpy as np
import pytest
import torch
from pydantic import ValidationError

from adc_plugins_learn.learners.taylor_cross_entropy import (
    TaylorCrossEntropy,
    smooth_taylor_cross_entropy,
    taylor_cross_entropy,
    taylor_softmax_cross_entropy,
)
from adc_plugins_learn.training.data.normalize import to_input
from adc_plugins_learn.training.parts import cross_entropy


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_vectors(known, order):
    case = known("taylor_ce", f"t={order}")
    case.agrees(taylor_cross_entropy(case.Z, case.y, order))


@pytest.mark.parametrize(("order", "smoothing"), [(2, 0.1), (2, 0.2), (6, 0.1)])
def test_smooth_vectors(known, order, smoothing):
    case = known("smooth_taylor_ce", f"t={order},eps={smoothing}")
    case.agrees(smooth_taylor_cross_entropy(case.Z, case.y, order, smoothing))


@pytest.mark.parametrize(("order", "smoothing"), [(2, 0.0), (2, 0.2), (4, 0.0)])
def test_softmax_vectors(known, order, smoothing):
    case = known("taylor_softmax_ce", f"n={order},eps={smoothing}")
    case.agrees(taylor_softmax_cross_entropy(case.Z, case.y, order, smoothing))


def test_between_absolute_error_and_cross_entropy(known):
    case = known()
    losses = cross_entropy(case.Z, case.y).detach()
    orders = [taylor_cross_entropy(case.Z, case.y, order).detach() for order in (1, 2, 5, 2000)]
    np.testing.assert_allclose(orders[0], 1 - (-losses).exp(), rtol=1e-12)
    for lower, higher in zip(orders, [*orders[1:], losses], strict=True):
        assert (lower <= higher + 1e-9).all()
    np.testing.assert_allclose(orders[-1], losses, atol=1e-6)


def test_without_smoothing_it_is_the_plain_one(known):
    case = known()
    assert torch.equal(
        smooth_taylor_cross_entropy(case.Z, case.y, 2, 0), taylor_cross_entropy(case.Z, case.y, 2)
    )


def test_the_softmax_needs_an_even_order():
    with pytest.raises(ValidationError) as error:
        TaylorCrossEntropy(variant="softmax", order=3)
    assert "order must be even for the variant softmax: give 2, 4 or 6" in str(error.value)


def test_the_softmax_predicts_by_its_polynomial(squares):
    options = {"image_size": 12, "epochs": 1, "batch_size": 8}
    model = TaylorCrossEntropy(variant="softmax", **options).learn(squares)
    backbone, output = model.network
    assert output.order == 2
    pixels = torch.from_numpy(squares.images.resized(12).copy())
    with torch.no_grad():
        z = backbone(to_input(pixels, model.architecture.mean, model.architecture.std))
    f = 1 + z + z**2 / 2
    np.testing.assert_allclose(
        model.predict(squares.images).probabilities, f / f.sum(dim=1, keepdim=True), atol=1e-5
    )
