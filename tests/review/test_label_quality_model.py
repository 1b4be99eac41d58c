"""The label quality model: its numbers, whom it corrects, and when it leaves all alone."""

import numpy as np
import pytest

from adc_core import Dataset, InputError, Votes
from adc_plugins_review import LabelQualityModel
from adc_plugins_review.label_quality.clean_pairs import consensus_pairs
from adc_plugins_review.label_quality.confusion import confusion_rows
from adc_plugins_review.label_quality.mixing import (
    GAMMAS,
    draw_labels,
    gamma_by_accuracy,
    gamma_by_loss,
    relabelled,
)
from adc_plugins_review.label_quality.network import Network, network_inputs


def test_confusions_and_network_of_the_specification(vectors):
    case = vectors["lqm_confusion"]
    pool, rows = confusion_rows(case["given"], case["true"], case["rater"], 2, 3)
    assert pool == pytest.approx(np.array(case["pool"]), abs=1e-9)
    assert rows == pytest.approx(np.array(case["rows"]), abs=1e-9)
    forward = vectors["lqm_forward"]
    given, rater = np.array(forward["given"]), np.array(forward["rater"])
    inputs = network_inputs(forward["logits"], given, forward["features"], rows[rater, given])
    assert inputs == pytest.approx(np.array(forward["inputs"]), abs=1e-9)
    network = Network(
        0.5 * np.sin(np.arange(44)).reshape(11, 4),
        np.full(4, 0.1),
        0.7 * np.cos(np.arange(12)).reshape(4, 3),
        np.array([0, -0.1, 0.2]),
    )
    assert network.predict(inputs) == pytest.approx(np.array(forward["output"]), abs=1e-9)


def test_gammas_of_the_specification(vectors):
    case = vectors["lqm_gamma_by_accuracy"]
    given = (case["predicted"], case["given"])
    assert list(GAMMAS) == case["gammas"]
    gamma, scores = gamma_by_accuracy(*given, case["true"])
    assert (gamma, scores) == (case["gamma"], pytest.approx(case["accuracies"]))
    assert relabelled(*given, gamma).tolist() == case["relabelled"]
    assert relabelled(*given, 1.0).tolist() == case["relabelled_at_1"]
    assert relabelled(*given, 0.5).tolist() == case["relabelled_at_0.5"] == case["given"]
    case = vectors["lqm_gamma"]
    gamma = gamma_by_loss(case["predicted"], case["given"], case["true"])
    assert gamma == pytest.approx(case["gamma"], abs=1e-9)
    assert draw_labels(case["targets"], case["uniforms"]).tolist() == case["drawn"]
    perfect = np.eye(3)[case["true"]] * 0.97 + 0.01
    assert gamma_by_loss(perfect, case["given"], case["true"]) == 1.0
    assert gamma_by_loss(np.full((5, 3), 1 / 3), case["given"], case["given"]) == 0.0


def voted(mistakes, pairs=200, rows=900):
    """One vote a sample by three raters, the third of whom errs; an expert on some samples."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, rows)
    rater = np.arange(rows) % 3
    label = np.where(rater == 2, mistakes(truth), truth)
    logits = rng.normal(0, 1, (rows, 4)) + 5 * np.eye(4)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    seen = rng.permutation(rows)[:pairs]
    return truth, Dataset(
        labels=label,
        classes=("Coat", "Dress", "Shirt", "Vest"),
        probabilities=probabilities.astype(np.float32),
        votes=Votes(
            item=np.concatenate([np.arange(rows), seen]),
            rater=np.concatenate([rater, np.full(pairs, 3)]),
            label=np.concatenate([label, truth[seen]]),
            names=("r01", "r02", "r03", "expert"),
            trusted=[False, False, False, True],
        ),
    )


def test_a_rater_who_takes_one_class_for_another_is_corrected():
    truth, dataset = voted(lambda truth: np.where(truth == 2, 1, truth))
    curation = LabelQualityModel().curate(dataset, ())
    wrong = dataset.labels != truth
    assert wrong.sum() > 60
    right = curation.dataset.labels == truth
    assert right[wrong].mean() >= 0.9
    assert (~right[~wrong]).sum() <= 0.1 * wrong.sum()
    reasons = curation.changes["reason"].to_pylist()
    told = [text for text in reasons if text.startswith("LQM: Shirt 0.")]
    assert "(r03 said Dress; wrong for " in told[0]
    assert told[0].endswith(" % of r03's Dress)")
    assert "a trusted rater says Shirt" in reasons
    assert LabelQualityModel().curate(dataset, ()) == curation


def crowd_of(rows=900, shared=200):
    """Seven raters, the last of whom takes one class for another; all vote on the first samples."""
    truth, dataset = voted(lambda truth: truth, rows=rows)
    rater = np.arange(rows) % 7
    item = np.concatenate([np.arange(rows), np.repeat(np.arange(shared), 6)])
    rater = np.concatenate([rater, *((rater[row] + np.arange(1, 7)) % 7 for row in range(shared))])
    label = np.where((rater == 6) & (truth[item] == 2), 1, truth[item])
    votes = Votes(item=item, rater=rater, label=label, names=tuple(f"r{n:02}" for n in range(1, 8)))
    return truth, dataset.replace(labels=label[:rows], votes=votes)


def test_a_consensus_stands_for_the_expert():
    truth, dataset = crowd_of()
    curation = LabelQualityModel(clean="consensus").curate(dataset, ())
    wrong = dataset.labels != truth
    right = curation.dataset.labels == truth
    assert wrong.sum() > 20
    assert right[wrong].mean() >= 0.9
    assert (~right[~wrong]).sum() <= 0.1 * wrong.sum()
    reasons = curation.changes["reason"].to_pylist()
    assert "the votes together say Shirt" in reasons
    assert any(text.startswith("LQM: Shirt 0.") for text in reasons)


def test_a_vote_is_not_compared_with_itself():
    _, dataset = crowd_of()
    votes = dataset.votes
    own = np.flatnonzero((votes.item == 0) & (votes.rater == 6))
    told = votes.replace(label=np.where(np.arange(len(votes)) == own, 3, votes.label))
    for given in (votes, told):
        found = consensus_pairs(given, 900, 4)
        pair = np.flatnonzero((found.votes.item == 0) & (found.votes.rater == 6))
        others = np.delete(given.label[given.item == 0], given.rater[given.item == 0] == 6)
        assert found.true[pair].tolist() == [others[0]]
    five = votes.take((votes.item == 0) & (votes.rater != 6) & (votes.rater != 5))
    assert len(consensus_pairs(five, 900, 4).votes) == 0, "four others each"
    assert len(consensus_pairs(votes, 900, 4).votes) == 7 * 200


def test_perfect_raters_and_gamma_0_change_nothing():
    _, dataset = voted(lambda truth: truth)
    curation = LabelQualityModel().curate(dataset, ())
    assert len(curation.changes) == 0
    assert curation.notes == ("the network knows no better than the votes: every label stays",)
    assert curation.dataset == dataset
    _, biased = voted(lambda truth: np.where(truth == 2, 1, truth))
    off = LabelQualityModel(gamma=0).curate(biased, ())
    assert off.dataset == biased
    assert off.notes == ("gamma is 0: every label stays",)


def test_drawn_labels_are_wrong_more_often():
    truth, dataset = voted(lambda truth: np.where(truth == 2, 1, truth))
    likely = LabelQualityModel().curate(dataset, ()).dataset.labels
    drawn = LabelQualityModel(label_choice="drawn", gamma=0.8).curate(dataset, ()).dataset.labels
    assert (likely == truth).mean() > (drawn == truth).mean()


def test_models_that_cannot_be_learned():
    _, dataset = voted(lambda truth: truth, pairs=40)
    with pytest.raises(InputError, match="40 votes are on samples that a trusted rater voted on"):
        LabelQualityModel().curate(dataset, ())
    with pytest.raises(
        InputError, match="0 votes are on samples of which five others are sure, an"
    ):
        LabelQualityModel(clean="consensus").curate(dataset, ())
    inside = dataset.replace(probabilities=dataset.probabilities.replace(origin="in sample"))
    with pytest.raises(InputError, match="of a model that has not seen the labels"):
        LabelQualityModel().curate(inside, ())
    with pytest.raises(InputError, match=r"gamma is 2\.0: give auto or a number from 0 to 1"):
        LabelQualityModel(gamma=2).curate(dataset, ())
