"""When memorization begins: the known answer, a noisy curve, classes and few epochs."""

import numpy as np
import pytest

from adc_core import Dataset, Dynamics, InputError
from adc_plugins_detect import EarlyStop, EarlyStopCe, early_stop_ce, memorization_onset
from adc_plugins_detect.dynamics.onset import fit_curve, onset_of

NOISY = [
    *(0.0, 0.197865, 0.302838, 0.430651, 0.462786, 0.522196, 0.573508, 0.584997),
    *(0.609176, 0.627928, 0.655948, 0.68382, 0.669503, 0.664334, 0.68596, 0.678594),
    *(0.687514, 0.701949, 0.684697, 0.693837),
]


def test_known_answer():
    """Where b is 1 the slope has lost nine tenths after c ln 10 further epochs."""
    assert onset_of((0.8, 1.0, 5.0), 31, 0.9) == 13
    assert onset_of((0.8, 1.0, 5.0), 31, 0.5) == 1 + int(np.ceil(5 * np.log(2)))
    assert onset_of((0.8, 1.0, 5.0), 6, 0.9) == 6


def test_a_noisy_curve():
    fitted = fit_curve(np.arange(20.0), np.array(NOISY))
    np.testing.assert_allclose(fitted, [0.699085, 0.931135, 3.199678], atol=1e-3)
    assert onset_of(fitted, 31, 0.9) == 10


def training(scales, epochs=20, rows=40, first=1):
    """Dynamics of classes that are learned at different speeds."""
    t = np.arange(first, first + epochs)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(scales)), rows)
    share = 0.9 * (1 - np.exp(-t / np.array(scales)[labels][:, None]))
    correct = (rng.random(share.shape) < share).astype(np.float32)
    dynamics = Dynamics(
        epochs=t,
        given_probability=share.astype(np.float32),
        margin=correct,
        loss=correct,
        correct=correct,
    )
    return labels, dynamics


def test_classes_that_are_learned_faster_are_memorized_earlier():
    labels, dynamics = training([1.0, 4.0], rows=400)
    fast, slow = memorization_onset(labels, dynamics)
    assert fast < slow
    assert slow == pytest.approx(1 + 4 * np.log(10), abs=3)
    lower = memorization_onset(labels, dynamics, threshold=0.5)
    assert (lower < [fast, slow]).all()
    more = memorization_onset(labels, dynamics, n_classes=3)
    assert np.isnan(more[2])
    gaps = dynamics.correct.copy()
    gaps[::2, 3] = np.nan
    np.testing.assert_allclose(
        memorization_onset(labels, dynamics.replace(correct=gaps)), [fast, slow], atol=1
    )


def test_early_stopping_at_the_onset():
    labels, dynamics = training([2.0, 6.0], rows=400)
    epoch = int(memorization_onset(labels, dynamics).min())
    assert epoch > 2
    found = early_stop_ce(labels, dynamics, epoch="onset")
    assert found == early_stop_ce(labels, dynamics, epoch=epoch)
    dataset = Dataset(labels=labels, dynamics=dynamics)
    component = EarlyStopCe(epoch="onset").detect(dataset)
    np.testing.assert_array_equal(component.suspicion, found.suspicion)
    curation = EarlyStop(epoch="onset").curate(dataset, ())
    assert (
        curation.changes["reason"][0].as_py().endswith("of its label at the onset of memorization")
    )
    np.testing.assert_array_equal(
        curation.changes["id"].to_pylist(), found.ids[found.flagged].tolist()
    )


def test_small_classes_do_not_decide():
    labels, dynamics = training([4.0, 4.0, 0.3], rows=15)
    rare = np.flatnonzero((labels < 2) | (np.arange(len(labels)) % 15 < 5))
    few = Dataset(labels=labels, dynamics=dynamics).take(rare)
    both = early_stop_ce(few.labels, few.dynamics, epoch="onset")  # all are small: all count
    onsets = memorization_onset(few.labels, few.dynamics)
    assert both == early_stop_ce(few.labels, few.dynamics, epoch=int(onsets.min()))
    many, seen = training([4.0, 4.0, 0.3], rows=30)
    keep = np.flatnonzero((many < 2) | (np.arange(len(many)) % 30 < 5))
    some = Dataset(labels=many, dynamics=seen).take(keep)
    onsets = memorization_onset(some.labels, some.dynamics)
    found = early_stop_ce(some.labels, some.dynamics, epoch="onset")
    assert found == early_stop_ce(some.labels, some.dynamics, epoch=int(onsets[:2].min()))


def test_few_epochs_fall_back_and_say_so():
    labels, dynamics = training([2.0, 4.0], epochs=5)
    with pytest.raises(InputError) as caught:
        memorization_onset(labels, dynamics)
    assert str(caught.value) == (
        "an onset takes 8 epochs, and 5 were recorded: train for longer, or give the epoch"
    )
    with pytest.warns(UserWarning, match="or give the epoch; the usual one is taken"):
        found = early_stop_ce(labels, dynamics, epoch="onset")
    assert found == early_stop_ce(labels, dynamics, epoch=2)
    with pytest.raises(InputError) as caught:
        early_stop_ce(labels, np.full((80, 9), 0.5), epoch="onset")
    assert str(caught.value) == "an onset takes dynamics, not a bare matrix: give the epoch"
