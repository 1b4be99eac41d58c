import numpy as np
import pytest

from adc_core.records.evidence import Neighbors
from adc_plugins_detect.curation.docta_rounds import (
    Tally,
    flag_share,
    neighbors_for_rounds,
    run_rounds,
    suggest,
    suggest_for_rows,
)
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.knn.votes import count_votes


def everything(rows, agreement):
    return np.ones(len(rows), bool)


def disputed(rows, agreement):
    return agreement < 0.5


def test_shares_of_the_worked_example(vectors):
    example = vectors["docta_aggregate"]
    share = flag_share(np.array(example["n_flag"]), np.array(example["n_seen"]))
    np.testing.assert_allclose(share, example["noisy_avg"], atol=1e-12)
    assert (share > 0.5).tolist() == example["flag"]


def test_suggestions_of_the_worked_example(vectors):
    example = vectors["docta_relabel"]
    suggestions = suggest(
        np.array(example["suggest_counts"]),
        np.array(example["given"]),
        np.array(example["noisy_avg"]),
    )
    # The second sample got no vote but for its own label: the example's class 0 means nothing.
    assert suggestions.label.tolist() == [example["suggestion"][0], -1, example["suggestion"][2]]
    voted = [0, 2]
    expected = np.array(example["confidence"])[voted]
    np.testing.assert_allclose(suggestions.confidence[voted], expected, atol=1e-12)
    assert (suggestions.confidence > 0.2).tolist() == example["relabel"]


def test_rounds_are_votes_among_the_members_of_a_subset(planted):
    graph = nearest_neighbors(planted.features, 40)
    tally = run_rounds(planted.labels, graph, 4, k=6, rounds=1, share=0.6, seed=5, judge=everything)
    rows = np.flatnonzero(tally.seen)
    assert len(rows) == 1200
    expected = nearest_neighbors(planted.features[rows], 5)
    labels = planted.labels[rows]
    votes = count_votes(labels, labels[expected.indices], expected.similarities)
    np.testing.assert_array_equal(tally.suggested, rows * 4 + votes.winner)
    np.testing.assert_array_equal(tally.flags, tally.seen)


def test_the_judge_sees_rows_and_agreement(planted):
    graph = nearest_neighbors(planted.features, 20)
    tally = run_rounds(planted.labels, graph, 4, k=10, rounds=9, share=0.9, seed=0, judge=disputed)
    assert (tally.flags <= tally.seen).all()
    assert tally.seen.sum() == 9 * 1800
    often = flag_share(tally.flags, tally.seen) > 0.5
    assert often[planted.wrong].mean() > 0.9
    assert often[~planted.wrong].mean() < 0.1
    assert len(tally.suggested) == tally.flags.sum()


def test_the_seed_draws_the_subsets(planted):
    graph = nearest_neighbors(planted.features, 20)

    def run(seed):
        return run_rounds(
            planted.labels, graph, 4, k=6, rounds=3, share=0.5, seed=seed, judge=disputed
        )

    for one, other in zip(run(1), run(1), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (run(1).seen != run(2).seen).any()


def test_a_sample_without_two_neighbors_in_a_subset_is_not_judged():
    graph = Neighbors(indices=[[1, 2], [0, 2], [0, 1], [0, 1]], similarities=np.full((4, 2), 0.5))
    tally = run_rounds(
        np.array([0, 0, 1, 1]), graph, 2, k=3, rounds=40, share=0.75, seed=0, judge=everything
    )
    # Three of four are drawn; the last is nobody's neighbor, so without 0 or 1 none is judged.
    assert tally.seen[3] < 40 * 0.75
    assert tally.seen.max() < 40


def test_wide_enough_graphs_lose_hardly_any_vote():
    for k, share in [(10, 0.9), (10, 0.5), (5, 0.7), (30, 0.9)]:
        width = neighbors_for_rounds(k, share)
        present = np.random.default_rng(0).binomial(width, share, 100_000)
        assert (present < k - 1).mean() < 0.01
    assert neighbors_for_rounds(10, 1.0) == 9


def test_suggestions_are_read_off_the_tally():
    labels = np.array([0, 1, 2, 0])
    tally = Tally(
        flags=np.array([4, 0, 3, 4]),
        seen=np.array([4, 4, 4, 4]),
        suggested=np.sort(np.array([1, 1, 1, 2, 2 * 3 + 0, 2 * 3 + 2, 2 * 3 + 2, *[9] * 4])),
    )
    rows = np.array([0, 2, 3])
    found = suggest_for_rows(tally, rows, labels, 3)
    counts = np.array([[0, 3, 1], [1, 0, 2], [4, 0, 0]])
    expected = suggest(counts, labels[rows], flag_share(tally.flags, tally.seen)[rows])
    np.testing.assert_array_equal(found.label, [1, 0, -1])
    np.testing.assert_array_equal(found.label, expected.label)
    np.testing.assert_array_equal(found.confidence, expected.confidence)


def test_many_classes_do_not_drown_a_suggestion():
    tally = Tally(np.full(1, 20), np.full(1, 20), np.full(20, 7))
    found = suggest_for_rows(tally, np.array([0]), np.array([3]), 5000)
    assert found.label.tolist() == [7]
    assert found.confidence[0] == pytest.approx((20 + 20 / 5000) / 40 * 21 / 22)


def test_no_rows_no_suggestions():
    tally = Tally(np.zeros(2, int), np.ones(2, int), np.zeros(0, int))
    found = suggest_for_rows(tally, np.zeros(0, int), np.array([0, 1]), 2)
    assert len(found.label) == len(found.confidence) == 0
