"""Linear separation: what belongs to no class, by a plane."""

import numpy as np
import pytest

from adc_core import Dataset, Detector, Findings, InputError, registry
from adc_plugins_detect import LinearSeparation, linear_separation
from adc_plugins_detect.detectors.linear_separation import _chance_outside


def test_the_pipeline_of_the_worked_example(vectors):
    """The example fits trusted samples alone: here the others are dropped before."""
    example = vectors["linear_separation"]
    features = np.array(example["features"])
    inside, outside = example["trusted_in"], example["trusted_out"]
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    chance = 1 / (1 + np.exp(-(rows @ example["weights"] + example["intercept"])))
    np.testing.assert_allclose(chance, example["probability"], atol=1e-9)
    # Fitted to trusted samples, which the function does when all are.
    trusted = np.sort([*inside, *outside])
    guess = np.isin(trusted, outside)
    found = _chance_outside(features[trusted], guess, 0.0)
    assert ((found > 0.5) == (chance[trusted] > 0.5)).mean() > 0.9


def test_known_answer(vectors):
    """Three of four are right on either side: the chance is 3/4, however many each side has."""
    for name in ("", "unbalanced_"):
        example = vectors["linear_separation_exact"]
        outside = np.array(example[f"{name}outside"], bool)
        # Of unit length, of mean 0 and deviation 1 already, after its second column is dropped.
        side = np.array(example[f"{name}features"])[:, 0]
        found = _chance_outside(np.stack([side, np.zeros(len(side))], axis=1), outside, 0.0)
        right = np.mean(~outside[side < 0])
        weights = {True: 1 / outside.sum(), False: 1 / (~outside).sum()}
        on_side = [weights[bool(one)] for one in outside[side > 0]]
        expected = sum(w for w, one in zip(on_side, outside[side > 0], strict=True) if one) / sum(
            on_side
        )
        assert found[side > 0] == pytest.approx(expected, abs=1e-6)
        if not name:
            assert right == 0.75
            assert expected == example["probability_at_plus_one"]


@pytest.fixture(scope="module")
def planted():
    """400 samples of four classes and 150 of none, and a guess that is wrong for a fifth."""
    rng = np.random.default_rng(0)
    outside = np.arange(550) >= 400
    centers = rng.normal(size=(4, 32)) * 0.6 + 1
    labels = rng.integers(0, 4, 550)
    features = centers[labels] + rng.normal(size=(550, 32)) * 0.8
    features[outside] = rng.normal(size=(150, 32)) - 0.4
    guess = outside ^ (rng.random(550) < 0.2)
    return features, labels, outside, guess


def test_the_plane_mends_the_guess(planted):
    features, labels, outside, guess = planted
    found = linear_separation(labels, features, guess)
    assert (guess == outside).mean() < 0.83
    assert (found.flagged == outside).mean() > 0.97
    assert found.noise_rate == found.flagged.mean()


def test_wrong_input_is_refused(planted):
    features, labels, outside, _ = planted
    with pytest.raises(InputError, match="outside: expected 550 booleans"):
        linear_separation(labels, features, outside.astype(int))


def test_scale_and_order_do_not_matter(planted):
    features, labels, _, guess = planted
    found = linear_separation(labels, features, guess).suspicion
    np.testing.assert_allclose(
        linear_separation(labels, 7 * features, guess).suspicion, found, atol=1e-5
    )
    order = np.random.default_rng(1).permutation(550)
    permuted = linear_separation(labels[order], features[order], guess[order]).suspicion
    np.testing.assert_allclose(permuted, found[order], atol=1e-4)


def test_a_guess_of_none_or_all_separates_nothing(planted):
    features, labels, _, _ = planted
    for guess in (np.zeros(550, bool), np.ones(550, bool)):
        with pytest.warns(UserWarning, match="nothing to separate"):
            found = linear_separation(labels, features, guess)
        assert not found.flagged.any()


def test_an_exact_separation_is_said(planted):
    features, labels, outside, _ = planted
    apart = features + 30 * outside[:, None] * np.eye(32)[0]
    with pytest.warns(UserWarning, match="separates the first guess exactly"):
        linear_separation(labels, apart, outside)


def test_the_component_begins_with_another_detector(planted, monkeypatch):
    features, labels, outside, guess = planted

    class Guess(Detector):
        """Flags what the test guesses."""

        def detect(self, dataset):
            return Findings(ids=dataset.ids, suspicion=guess.astype(float), flagged=guess)

    monkeypatch.setitem(registry._added, ("detectors", "guess"), Guess)
    dataset = Dataset(
        ids=[str(row) for row in range(550)],
        labels=labels,
        classes=tuple("abcd"),
        features=features.astype(np.float32),
    )
    found = LinearSeparation(outside=Guess()).detect(dataset)
    assert (found.flagged == outside).mean() > 0.97
    both = LinearSeparation(outside=Guess(), with_guess=True).detect(dataset)
    np.testing.assert_array_equal(both.flagged, found.flagged)
    assert not np.allclose(both.suspicion, found.suspicion)
