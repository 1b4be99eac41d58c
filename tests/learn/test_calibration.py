import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from adc_core.errors import InputError
from adc_plugins_learn.training.networks.calibration import COLDEST, HOTTEST, fit_temperature


def drawn(seed, samples=400, classes=4, scale=1.0):
    """Logits, and labels drawn from their softmax: the temperature is near one, times scale."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.standard_normal((samples, classes))
    odds = np.exp(logits).cumsum(axis=1)
    labels = (rng.random(samples)[:, None] * odds[:, -1:] > odds).sum(axis=1)
    return scale * logits, labels


def negative_log_likelihood(temperature, logits, labels):
    cooled = logits / temperature
    cooled = cooled - cooled.max(axis=1, keepdims=True)
    own = cooled[np.arange(len(labels)), labels]
    return (np.log(np.exp(cooled).sum(axis=1)) - own).mean()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [0.2, 1.0, 7.0])
def test_it_is_where_another_optimizer_finds_the_minimum(seed, scale):
    logits, labels = drawn(seed, scale=scale)
    found = minimize_scalar(
        lambda log: negative_log_likelihood(np.exp(log), logits, labels),
        bounds=(np.log(COLDEST), np.log(HOTTEST)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert fit_temperature(logits, labels) == pytest.approx(np.exp(found.x), rel=1e-5)


def test_labels_drawn_from_the_probabilities_ask_for_none():
    logits, labels = drawn(0, samples=200_000)
    # Eight standard errors; the information about log T is the variance of the logit, about 1.
    assert fit_temperature(logits, labels) == pytest.approx(1, abs=0.02)


def test_two_classes_by_hand():
    """Three of four right at a logit difference of 2: sigmoid(2/T) = 3/4, T = 2 / log 3."""
    logits = np.array([[2.0, 0.0]] * 4)
    assert fit_temperature(logits, [0, 0, 0, 1]) == pytest.approx(2 / np.log(3), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.3, 3), st.floats(-50, 50))
def test_identities(seed, scale, shift):
    logits, labels = drawn(seed, samples=60)
    fitted = fit_temperature(logits, labels)
    if not COLDEST * 4 < fitted < HOTTEST / 4:
        return
    assert fit_temperature(scale * logits, labels) == pytest.approx(scale * fitted, rel=1e-9)
    moved = logits + shift * np.arange(len(logits))[:, None]
    assert fit_temperature(moved, labels) == pytest.approx(fitted, rel=1e-6)
    order = np.random.default_rng(seed).permutation(len(labels))
    assert fit_temperature(logits[order], labels[order]) == pytest.approx(fitted, rel=1e-9)


@pytest.mark.parametrize(
    ("logits", "labels", "temperature"),
    [
        ([[3.0, 0, 0], [0, 1, 0]], [0, 1], COLDEST),
        ([[3000.0, 0, 0], [0, 1000, 0]], [0, 1], COLDEST),
        ([[3.0, 0, 0], [0, 1, 0]], [1, 2], HOTTEST),
        ([[1.0, 1, 1], [2, 2, 2]], [0, 1], 1.0),
    ],
)
def test_ends(logits, labels, temperature):
    assert fit_temperature(logits, labels) == temperature


def test_huge_logits_do_not_overflow():
    logits, labels = drawn(1)
    hot = fit_temperature(1e300 * logits[:, :2].clip(-1, 1), labels % 2)
    assert hot == HOTTEST


def test_inputs_stay_as_they_are():
    logits, labels = drawn(2)
    logits.flags.writeable = labels.flags.writeable = False
    fit_temperature(logits.astype(np.float32), labels)
    fit_temperature(logits, labels)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (
            np.zeros((3, 2)),
            [0, 1],
            "a temperature is fitted to N × K logits and N labels, got (3, 2) and (2,)",
        ),
        (
            np.zeros((0, 2)),
            [],
            "a temperature is fitted to N × K logits and N labels, got (0, 2) and (0,)",
        ),
        (
            [[0, np.inf], [0, 1]],
            [0, 1],
            "a temperature is fitted to finite logits: some are NaN or infinite",
        ),
        (np.eye(2), [0, 2], "a temperature is fitted to labels in 0…1"),
        (np.eye(2), [0.0, 1.0], "a temperature is fitted to labels in 0…1"),
    ],
)
def test_bad_input(logits, labels, message):
    with pytest.raises(InputError) as error:
        fit_temperature(logits, labels)
    assert str(error.value) == message
