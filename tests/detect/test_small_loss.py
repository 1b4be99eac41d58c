import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset
from adc_plugins_detect.detectors.small_loss import (
    SmallLoss,
    best_cut,
    clean_probability,
    fit_from,
    small_loss,
)


def column(values):
    return np.array(values)[:, None]


def test_worked_example(vectors):
    example = vectors["small_loss_gmm"]
    order = np.argsort(example["loss"])
    # The division into 8 and 4 from which the example started, drawn at random.
    clean = fit_from(np.array(example["normalised"])[order], 8)
    expected = np.array(example["p_clean"])[order]
    np.testing.assert_allclose(clean, expected, atol=example["tolerance"])
    np.testing.assert_array_equal(clean <= 0.5, np.array(example["flag"])[order])


def test_starts_from_the_best_division_of_the_worked_example(vectors):
    example = vectors["small_loss_gmm"]
    order = np.argsort(example["loss"])
    ascending = np.array(example["normalised"])[order]
    assert best_cut(ascending) == 9
    findings = small_loss(np.zeros(12, int), column(example["loss"]), monotone=False)
    np.testing.assert_allclose(1 - findings.suspicion[order], fit_from(ascending, 9), atol=1e-12)
    np.testing.assert_array_equal(findings.flagged, findings.suspicion >= 0.5)
    assert findings.noise_rate == findings.flagged.mean()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 64), min_size=2, max_size=20))
def test_the_best_division_has_the_least_squares(numbers):
    ascending = np.sort(numbers) / 64
    squares = [
        cut * ascending[:cut].var() + (len(ascending) - cut) * ascending[cut:].var()
        for cut in range(1, len(ascending))
    ]
    assert squares[best_cut(ascending) - 1] == pytest.approx(min(squares), abs=1e-12)


def test_every_epoch_is_normalized_before_the_mean(vectors):
    losses = column(vectors["small_loss_gmm"]["loss"])
    once = small_loss(np.zeros(12, int), losses)
    findings = small_loss(np.zeros(12, int), np.hstack([losses, 10 * losses + 3]))
    np.testing.assert_allclose(findings.suspicion, once.suspicion, atol=1e-9)


def test_which_epochs_are_used(trained):
    labels, losses = trained.labels, trained.dynamics.loss
    last = small_loss(labels, losses, last_epochs=2)
    assert last == small_loss(labels, losses[:, -2:])
    assert small_loss(labels, losses, epoch=3) == small_loss(labels, losses[:, 2:3])
    assert small_loss(labels, losses[:, -3:]) == small_loss(labels, losses, last_epochs=3)


def wide_and_narrow():
    """Losses of a narrow and a wide Gaussian, where the wide one wins at zero again."""
    random = np.random.default_rng(0)
    narrow = random.normal(0.2, 0.03, 2000)
    return np.concatenate([[0.0, 1.0], narrow, random.normal(0.6, 0.25, 1000)]).clip(0, 1)


def test_monotone_suspicion_never_falls_with_the_loss():
    losses = wide_and_narrow()
    order = np.argsort(losses, kind="stable")
    plain = clean_probability(losses, monotone=False)
    raised = clean_probability(losses)
    assert plain[0] < 0.5 < raised[0]
    assert (np.diff(plain[order]) > 0).any()
    assert (np.diff(raised[order]) <= 0).all()
    highest = [plain[losses >= loss].max() for loss in losses]
    np.testing.assert_array_equal(raised, highest)


def test_a_huge_loss_is_cut_off(trained):
    losses = trained.dynamics.loss[:, -1:].copy()
    losses[7] = 1e6
    plain = small_loss(trained.labels, losses)
    cut = small_loss(trained.labels, losses, winsorize=True)
    assert plain.flagged.sum() == 1
    assert (cut.flagged == trained.wrong).mean() > 0.95


def test_finds_planted_noise(trained):
    findings = small_loss(trained.labels, trained.dynamics)
    assert (findings.flagged == trained.wrong).mean() > 0.95
    worse = findings.suspicion[trained.wrong][:, None] > findings.suspicion[~trained.wrong]
    assert worse.mean() > 0.95


@pytest.mark.parametrize("rows", [1, 2, 40])
def test_equal_losses_are_not_suspect(rows):
    findings = small_loss(np.zeros(rows, int), np.full((rows, 3), 0.7))
    assert not findings.flagged.any() and not findings.suspicion.any()


def test_two_losses():
    findings = small_loss([0, 1], [[0.1], [2.0]])
    assert findings.flagged.tolist() == [False, True]


def test_order_threads_memory_maps_and_inputs(trained, tmp_path):
    losses = trained.dynamics.loss
    np.save(tmp_path / "losses.npy", losses)
    mapped = np.load(tmp_path / "losses.npy", mmap_mode="r")
    findings = small_loss(trained.labels, mapped)
    with threadpool_limits(1):
        assert small_loss(trained.labels, trained.dynamics) == findings
    order = np.random.default_rng(1).permutation(len(losses))
    permuted = small_loss(trained.labels[order], losses[order])
    np.testing.assert_array_equal(permuted.suspicion, findings.suspicion[order])
    np.testing.assert_array_equal(permuted.flagged, findings.flagged[order])


def test_bad_input_is_named():
    for options, message in [
        ({"last_epochs": 0}, "last_epochs: Input should be greater than or equal to 1"),
        ({"epoch": 3}, "epoch 3 was not recorded: choose one of 1, 2"),
    ]:
        with pytest.raises(InputError) as raised:
            small_loss([0, 1], [[0.1, 0.2], [0.3, 0.4]], **options)
        assert str(raised.value) == message


def test_component_reads_dynamics(trained):
    dataset = Dataset(labels=trained.labels, dynamics=trained.dynamics)
    options = {"last_epochs": 2, "monotone": False, "winsorize": True}
    expected = small_loss(trained.labels, trained.dynamics, **options)
    assert SmallLoss(**options).detect(dataset) == expected
    expected = small_loss(trained.labels, trained.dynamics, epoch=4)
    assert SmallLoss(epoch=4).detect(dataset) == expected
