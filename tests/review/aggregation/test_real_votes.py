"""Real votes: known accuracies, figures of realism, and cleanlab's CROWDLAB."""

import csv

import numpy as np
import pytest

from adc_plugins_review import (
    crowdlab,
    dawid_skene,
    mace,
    majority,
    off_diagonal_test,
    one_coin,
    realism,
)


def crowd(folder):
    """Votes of a crowdsourced set as three arrays of numbers, and the truth of each item."""
    with (folder / "answers.csv").open() as file:
        rows = [(row["item"], row["worker"], int(row["label"])) for row in csv.DictReader(file)]
    with (folder / "truth.csv").open() as file:
        truths = {row["item"]: int(row["truth"]) for row in csv.DictReader(file)}
    names, item = np.unique([row[0] for row in rows], return_inverse=True)
    _, rater = np.unique([row[1] for row in rows], return_inverse=True)
    label = np.array([row[2] for row in rows])
    truth = np.array([truths.get(name, -1) for name in names.tolist()])
    return item, rater, label - label.min(), np.where(truth < 0, -1, truth - label.min())


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["dog", "bluebirds"])
def test_known_accuracies(shared_data, vectors, name):
    item, rater, label, truth = crowd(shared_data / "crowd" / name)
    known, case = truth >= 0, vectors["real_votes"][name]
    guesses = {
        "majority": majority(item, rater, label).label,
        "one_coin": one_coin(item, rater, label).posterior.argmax(axis=1),
        "mace": mace(item, rater, label).posterior.argmax(axis=1),
        "dawid_skene": dawid_skene(item, rater, label).posterior.argmax(axis=1),
    }
    accuracy = {
        key: round(float((guess == truth)[known].mean()), 4) for key, guess in guesses.items()
    }
    assert accuracy == case["accuracy"]
    counts = np.zeros((len(truth), case["classes"]))
    np.add.at(counts, (item, label), 1)
    if case["realism"] is not None:
        assert realism(counts, truth)._asdict() == pytest.approx(case["realism"], abs=1e-9)


@pytest.mark.shared_data
def test_people_and_coins_on_cifar(shared_data, vectors):
    case = vectors["real_realism"]
    counts = np.load(shared_data / "cifar10h" / "cifar10h.npz")["counts"]
    truth = np.load(shared_data / "cifar10" / "labels.npz")["test_label"].astype(int)
    assert realism(counts, truth)._asdict() == pytest.approx(case["cifar10h"], abs=1e-9)
    found = off_diagonal_test(counts, truth)._asdict()
    for name, value in case["cifar10h_off_diagonal"].items():
        assert found[name] == pytest.approx(value, rel=1e-9)


def problem(seed):
    rng = np.random.default_rng(seed)
    N, R, K = 60, 6, 3 + seed % 3
    truth = rng.integers(0, K, N)
    guessed = np.where(rng.random(N) < 0.8, truth, rng.integers(0, K, N))
    probabilities = rng.dirichlet(np.ones(K), N) * 0.5 + 0.5 * np.eye(K)[guessed]
    wide = np.full((N, R), np.nan)
    for row in range(N):
        for one in rng.choice(R, rng.integers(1, 5), replace=False):
            right = rng.random() < 0.5 + 0.08 * one
            wide[row, one] = truth[row] if right else rng.integers(0, K)
    return wide, probabilities


def test_crowdlab_is_that_of_cleanlab():
    multiannotator = pytest.importorskip("cleanlab.multiannotator")
    same = compared = 0
    for seed in range(60):
        wide, probabilities = problem(seed)
        item, rater = np.nonzero(~np.isnan(wide))
        ours = crowdlab(item, rater, wide[item, rater].astype(int), probabilities, raters=6)
        theirs = multiannotator.get_label_quality_multiannotator(
            wide, probabilities, verbose=False, return_weights=True
        )
        table = theirs["label_quality"]
        equal = table["consensus_label"].to_numpy() == ours.consensus
        same += equal.sum()
        if not equal.all():  # they draw ties by chance
            continue
        compared += 1
        quality = table["consensus_quality_score"].to_numpy()
        raters = theirs["annotator_stats"].sort_index()["annotator_quality"].to_numpy()
        assert ours.quality == pytest.approx(quality, abs=1e-9)
        assert ours.rater_quality == pytest.approx(raters, abs=1e-9)
        assert ours.rater_weight == pytest.approx(theirs["annotator_weight"], abs=1e-9)
        assert ours.model_weight == pytest.approx(theirs["model_weight"], abs=1e-9)
        scaled = multiannotator.temp_scale_pred_probs(
            probabilities, multiannotator.find_best_temp_scaler(wide, probabilities)
        )
        votes = (item, rater, wide[item, rater].astype(int))
        active, _ = multiannotator.get_active_learning_scores(wide, probabilities)
        assert crowdlab(*votes, scaled, raters=6).active == pytest.approx(active, abs=1e-9)
    assert same / 3600 > 0.995
    assert compared > 50
