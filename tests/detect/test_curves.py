import numpy as np
import pytest

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_core.records.evidence import Dynamics
from adc_plugins_detect import (
    aum,
    data_map,
    data_maps,
    early_stop_ce,
    forgetting,
    lstm_dynamics,
    small_loss,
)
from adc_plugins_detect.dynamics.curves import curves_of, dynamics_of, epoch_index, shares_of

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
    assert [epoch_index(epoch, DYNAMICS, CURVES) for epoch in (3, 5, 9)] == [0, 1, 2]
    assert [epoch_index(epoch, CURVES, CURVES) for epoch in (1, 2, 3)] == [0, 1, 2]


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
            lambda: epoch_index(4, DYNAMICS, CURVES),
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


SEEN = np.array([[1.0, np.nan, -1.0, 3.0], [2.0, 2.0, np.nan, np.nan], [-1.0, -2.0, -3.0, -4.0]])


def test_gaps_are_left_out_of_the_areas_under_the_margin():
    """AUM's own case: samples that were measured in some epochs only."""
    areas = np.array([1.0, 2.0, -2.5])
    found = aum([0, 1, 0], SEEN, skip_epochs=0, flag_rate=0.34)
    np.testing.assert_allclose(found.suspicion, (1 - areas / (1 + np.abs(areas))) / 2)
    assert found.flagged.tolist() == [False, False, True]
    with pytest.raises(InputError) as raised:
        aum([0, 1, 0], SEEN, skip_epochs=2)
    assert str(raised.value) == "margin: row 1 was seen in no epoch: leave it out"


def test_gaps_are_left_out_of_means_of_probabilities_and_losses():
    shares = np.array([[0.2, np.nan, 0.4], [np.nan, 0.9, 0.7], [0.5, 0.5, 0.5]])
    found = data_maps([0, 1, 0], shares)
    np.testing.assert_allclose(found.suspicion, [0.7, 0.2, 0.5])
    whole = np.array([[0.0, 0.0], [1.0, 1.0], [0.1, 0.1], [0.9, 0.9]])
    gaps = whole.copy()
    gaps[0, 1] = gaps[3, 0] = np.nan
    gaps = np.hstack([gaps, np.full((4, 1), np.nan)])  # an epoch in which none was measured
    labels = [0, 1, 0, 1]
    flagged = small_loss(labels, gaps).flagged
    assert flagged.tolist() == small_loss(labels, whole).flagged.tolist()
    with pytest.raises(InputError) as raised:
        small_loss(labels, gaps, epoch=3)
    assert str(raised.value) == "loss: row 0 was seen in no epoch: leave it out"


def test_forgetting_is_counted_between_the_epochs_that_saw_a_sample():
    gaps = np.array([[np.nan, 1, np.nan, 0, 1, 0], [np.nan, 0, np.nan, 0, np.nan, 0]])
    whole = np.array([[1, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0]], float)
    assert forgetting([0, 1], gaps, min_events=2) == forgetting([0, 1], whole, min_events=2)


def test_gaps_hide_no_other_fault():
    for call, fault in ((aum, np.inf), (forgetting, 2.0), (data_maps, 2.0)):
        broken = np.array([[1.0, np.nan], [fault, 1.0]])
        with pytest.raises(InputError, match="row 1"):
            call([0, 1], broken)


def test_dynamics_have_gaps_too():
    shares = np.array([[0.2, np.nan, 0.4], [np.nan, 0.9, 0.7]])
    margins = np.array([[-1.0, np.nan, 0.5], [np.nan, 2.0, 1.0]])
    dynamics = Dynamics(
        epochs=[1, 2, 3], given_probability=shares, margin=margins, loss=-shares, correct=shares > 0
    )
    labels = [0, 1]
    assert aum(labels, dynamics) == aum(labels, dynamics.margin)
    assert data_maps(labels, dynamics) == data_maps(labels, dynamics.given_probability)
    np.testing.assert_allclose(data_map(dynamics).variability, [0.1, 0.1], atol=1e-7)
    assert lstm_dynamics(labels, dynamics).suspicion.shape == (2,)
    with pytest.raises(InputError) as raised:
        early_stop_ce(labels, dynamics, epoch=2)
    assert str(raised.value) == (
        "given_probability: row 0 was not seen in epoch 2: judge by another, or leave it out"
    )
    with pytest.raises(InputError) as raised:
        dynamics.replace(margin=[[np.nan, 1, 2], [np.inf, 1, 2]])
    assert str(raised.value) == (
        "margin: row 1 is infinite somewhere: "
        "expected finite float32, or NaN where nothing was seen"
    )
