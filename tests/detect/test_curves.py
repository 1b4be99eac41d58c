import numpy as np
import pytest

from adc_core.dataset import Dataset
from adc_core.errors import InputError
from adc_core.evidence import Dynamics
from adc_plugins_detect.detectors.curves import curves_of, dynamics_of, place_of, shares_of

LABELS = np.array([0, 1])
CURVES = np.array([[0.5, 0.25, 1], [0, 0.75, 0]], np.float32)
DYNAMICS = Dynamics(
    epochs=[3, 5, 9],
    given_probability=CURVES,
    margin=CURVES - 1,
    loss=CURVES + 1,
    correct=CURVES > 0.5,
)


def test_a_column_of_the_dynamics_or_a_bare_matrix():
    np.testing.assert_array_equal(curves_of(LABELS, DYNAMICS, "margin"), CURVES - 1)
    np.testing.assert_array_equal(curves_of(LABELS, CURVES, "margin"), CURVES)
    np.testing.assert_array_equal(curves_of(LABELS, CURVES > 0.5, "correct"), CURVES > 0.5)


def test_epochs_are_found_by_their_number():
    assert [place_of(epoch, DYNAMICS, CURVES) for epoch in (3, 5, 9)] == [0, 1, 2]
    assert [place_of(epoch, CURVES, CURVES) for epoch in (1, 2, 3)] == [0, 1, 2]


def test_softmax_may_stray_a_little():
    np.testing.assert_array_equal(shares_of(LABELS, CURVES * 1.0005, "x"), CURVES * 1.0005)


def test_bad_input_is_named():
    cases = [
        (
            lambda: curves_of(LABELS, CURVES[:1], "loss"),
            "loss have 1 rows but there are 2 labels: give one row per sample",
        ),
        (
            lambda: curves_of(LABELS, CURVES[:, 0], "loss"),
            "loss: expected a matrix of numbers with one row per sample, got float32 (2,)",
        ),
        (
            lambda: curves_of(LABELS, CURVES / 0.0, "loss"),
            "loss: row 0 is not finite (NaN or infinity)",
        ),
        (
            lambda: shares_of(LABELS, CURVES - [[0], [0.1]], "given_probability"),
            "given_probability: row 1 leaves 0…1: expected probabilities of every epoch",
        ),
        (
            lambda: place_of(4, DYNAMICS, CURVES),
            "epoch 4 was not recorded: choose one of 3, 5, 9",
        ),
        (
            lambda: dynamics_of(Dataset(labels=LABELS)),
            'the dataset has no column "dynamics": the enricher training-dynamics adds it',
        ),
    ]
    for call, message in cases:
        with np.errstate(all="ignore"), pytest.raises(InputError) as raised:
            call()
        assert str(raised.value) == message
