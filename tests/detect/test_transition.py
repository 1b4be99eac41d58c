import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from adc_core.errors import InputError
from adc_core.records.evidence import Neighbors
from adc_plugins_detect.knn.search import nearest_neighbors
from adc_plugins_detect.noise.hoc import TransitionEstimate, hoc, transition_from_votes


def votes_of(T, p, rows, seed):
    """Three independent labels of samples whose true classes follow the prior."""
    random = np.random.default_rng(seed)
    truth = random.choice(len(p), rows, p=p)
    return (random.random((rows, 3, 1)) > T.cumsum(axis=1)[truth][:, None, :]).sum(axis=2)


def test_the_published_example_of_200_triples(vectors):
    example = vectors["hoc_fit"]
    table = np.array(example["triple_counts"])
    votes = np.repeat(table[:, :3], table[:, 3], axis=0)
    estimate = transition_from_votes(votes)
    np.testing.assert_allclose(estimate.transition, example["csv_T"], atol=5e-3)
    np.testing.assert_allclose(estimate.prior, example["csv_p"], atol=5e-3)
    assert example["csv_loss"] - 5e-4 < estimate.loss <= example["csv_loss"]
    np.testing.assert_allclose(estimate.transition, example["readme_T"], atol=5e-3)


def test_many_votes_give_the_model_back():
    T = 0.7 * np.eye(5) + 0.3 * np.random.default_rng(3).dirichlet(np.ones(5), 5)
    estimate = transition_from_votes(votes_of(T, np.full(5, 0.2), 200_000, 1))
    np.testing.assert_allclose(estimate.transition, T, atol=0.02)
    np.testing.assert_allclose(estimate.prior, 0.2, atol=0.01)
    assert estimate.noise_rate == pytest.approx(1 - T.diagonal().mean(), abs=0.01)


def test_a_hundred_classes_need_no_cube():
    T = 0.8 * np.eye(100) + 0.2 * np.roll(np.eye(100), 1, axis=1)
    estimate = transition_from_votes(votes_of(T, np.full(100, 0.01), 20_000, 2), steps=150)
    assert estimate.transition.diagonal().mean() == pytest.approx(0.8, abs=0.05)


def test_neighbors_of_clusters_tell_the_noise():
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 8000)
    features = 6 * np.eye(4, 16)[truth] + 0.6 * random.normal(size=(8000, 16))
    T = 0.7 * np.eye(4) + 0.3 * np.roll(np.eye(4), 1, axis=1)
    labels = (random.random((8000, 1)) > T.cumsum(axis=1)[truth]).sum(axis=1)
    estimate = hoc(labels, nearest_neighbors(features, 2))
    np.testing.assert_allclose(estimate.transition, T, atol=0.05)
    assert estimate.noise_rate == pytest.approx((labels != truth).mean(), abs=0.01)


def test_clean_labels_have_no_noise(planted):
    assert hoc(planted.truth, nearest_neighbors(planted.features, 2)).noise_rate < 1e-3


def test_copies_are_skipped(planted):
    twice = np.repeat(planted.features, 2, axis=0)
    labels = np.repeat(planted.labels, 2)
    once = hoc(planted.labels, nearest_neighbors(planted.features, 2))
    again = hoc(labels, nearest_neighbors(twice, 7))
    np.testing.assert_allclose(again.transition, once.transition, atol=1e-6)
    fooled = hoc(labels, nearest_neighbors(twice, 7), duplicate_similarity=2.0)
    assert fooled.noise_rate < once.noise_rate - 0.1


def test_the_number_of_threads_changes_nothing(planted):
    graph = nearest_neighbors(planted.features, 2)
    first = hoc(planted.labels, graph)
    with threadpool_limits(1):
        again = hoc(planted.labels, graph)
    assert again.transition.tobytes() == first.transition.tobytes()
    assert again.prior.tobytes() == first.prior.tobytes()


def test_the_noise_rate_weighs_classes_by_their_prior():
    estimate = TransitionEstimate(np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([0.75, 0.25]), 0.0)
    assert estimate.noise_rate == pytest.approx(0.2)


def test_a_class_that_nobody_names_is_left_alone(planted):
    graph = nearest_neighbors(planted.features, 2)
    estimate = hoc(planted.labels, graph)
    wider = hoc(planted.labels + (planted.labels > 1), graph, n_classes=6)
    named = [0, 1, 3, 4]
    np.testing.assert_array_equal(wider.transition[np.ix_(named, named)], estimate.transition)
    assert wider.transition[2].tolist() == [0, 0, 1, 0, 0, 0]
    assert wider.prior[[2, 5]].tolist() == [0, 0]


def test_other_class_names_same_estimate(planted):
    names = np.array([2, 0, 3, 1])
    graph = nearest_neighbors(planted.features, 2)
    estimate, renamed = hoc(planted.labels, graph), hoc(names[planted.labels], graph)
    np.testing.assert_array_equal(renamed.transition[np.ix_(names, names)], estimate.transition)
    np.testing.assert_array_equal(renamed.prior[names], estimate.prior)


def test_warns_where_a_class_gets_another_label_most_often():
    T = np.array([[0.98, 0.02], [0.6, 0.4]])
    votes = votes_of(T, np.array([0.5, 0.5]), 50_000, 0)
    message = (
        "HOC estimates that class 1 is labelled 0 more often than 1: the neighbors are too "
        "poor, or the labels too noisy, to trust the transition matrix"
    )
    with pytest.warns(UserWarning) as warned:
        transition_from_votes(votes)
    assert [str(warning.message) for warning in warned] == [message]
    with pytest.warns(UserWarning, match="class dog is labelled cat more often than dog: the "):
        transition_from_votes(votes, classes=("cat", "dog"))


def test_bad_input_is_named(planted):
    graph = nearest_neighbors(planted.features, 1)
    cases = [
        (
            lambda: hoc(planted.labels, graph),
            "HOC needs 2 neighbors of every sample, the graph has 1",
        ),
        (
            lambda: hoc(planted.labels[:5], graph),
            "neighbors have 2000 rows but there are 5 labels: give one row per sample",
        ),
        (lambda: transition_from_votes([[0, 1]]), "votes: expected N × 3 labels, got (1, 2)"),
        (
            lambda: hoc(
                [0, 1, 1],
                Neighbors(indices=[[1, 2], [0, 2], [0, 1]], similarities=np.ones((3, 2))),
            ),
            "no sample has two neighbors that are not copies: "
            "search more neighbors, or raise duplicate_similarity",
        ),
    ]
    for call, message in cases:
        with pytest.raises(InputError) as raised:
            call()
        assert str(raised.value) == message


def test_an_interval_says_how_far_chance_moves_the_estimate():
    """Its width is that of estimates from fresh draws, and it holds the truth."""
    T = 0.7 * np.eye(3) + 0.3 * np.roll(np.eye(3), 1, axis=1)
    prior = np.array([0.5, 0.3, 0.2])
    fresh = [
        transition_from_votes(votes_of(T, prior, 4000, seed), steps=300).transition
        for seed in range(1, 21)
    ]
    estimate = transition_from_votes(votes_of(T, prior, 4000, 0), bootstrap=60, steps=300)
    interval = estimate.interval
    assert interval is not None
    deviations = (interval.high - interval.low) / (2 * 1.96)
    # What is truly zero is estimated as zero or a little more, which no deviation describes.
    ratios = (deviations / np.std(fresh, axis=0))[T > 0]
    assert ratios.min() > 0.5
    assert ratios.max() < 2
    assert (interval.low - 0.01 <= T).all()
    assert (interval.high + 0.01 >= T).all()
    assert (interval.prior[0] <= estimate.prior).all()
    assert (interval.prior[1] >= estimate.prior).all()
    assert interval.noise_rate[0] < estimate.noise_rate < interval.noise_rate[1]
    assert interval.noise_rate[1] - interval.noise_rate[0] < 0.1


def test_an_interval_is_drawn_by_its_seed(planted):
    graph = nearest_neighbors(planted.features, 2)
    first, again, other = (hoc(planted.labels, graph, bootstrap=5, seed=seed) for seed in (0, 0, 1))
    assert first.interval is not None
    assert again.interval is not None
    assert other.interval is not None
    np.testing.assert_array_equal(first.interval.low, again.interval.low)
    assert (first.interval.low != other.interval.low).any()
    assert hoc(planted.labels, graph).interval is None


def test_an_interval_leaves_classes_that_nobody_names_alone(planted):
    graph = nearest_neighbors(planted.features, 2)
    wider = hoc(planted.labels, graph, n_classes=5, bootstrap=3)
    assert wider.interval is not None
    assert wider.interval.low[4].tolist() == wider.interval.high[4].tolist() == [0, 0, 0, 0, 1]


def test_a_thousand_classes():
    """No table of a thousand cubed cells is formed; few steps show that the fit gets nearer."""
    T = 0.8 * np.eye(1000) + 0.2 * np.roll(np.eye(1000), 1, axis=1)
    votes = votes_of(T, np.full(1000, 1e-3), 5_000, 2)
    start, later = (transition_from_votes(votes, steps=steps) for steps in (1, 6))
    assert later.transition.shape == (1000, 1000)
    assert later.loss < start.loss


def test_credibility_of_the_worked_example(vectors):
    example = vectors["dataset_credibility"]
    prior = np.array([0.5, 0.5])
    estimate = TransitionEstimate(np.array(example["T"]), prior, 0.0)
    assert estimate.credibility == pytest.approx(example["value"], abs=1e-12)
    assert TransitionEstimate(np.eye(2), prior, 0.0).credibility == example["identity"]
    swapped = TransitionEstimate(np.eye(2)[::-1], prior, 0.0)
    assert swapped.credibility == pytest.approx(example["worst_K2"], abs=1e-12)
