"""Simulated raters err as people do, as often as they should, and never on what they learned."""

import numpy as np
import pytest

from adc_core import Dataset, InputError, Learner, Pipeline, Predictions
from adc_core.testing.toys import toy_dataset, toy_truth
from adc_plugins_review import RaterPool, choose_raters, off_diagonal_test, realism
from adc_plugins_review.simulated_raters.candidates import train_candidates
from adc_plugins_review.simulated_raters.regressions import Regressions


def blobs(rows=900, seed=0):
    """Six classes in 256 dimensions, of which two and two resemble each other."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(rows) % 6)
    centers = np.repeat(rng.normal(0, 0.25, (3, 256)), 2, axis=0) + rng.normal(0, 0.12, (6, 256))
    clarity = rng.choice([0.4, 2.5], (rows, 1), p=[0.35, 0.65])  # little can be seen of some
    features = clarity * centers[labels] + rng.normal(0, 1, (rows, 256))
    return Dataset(labels=labels, features=features.astype(np.float32))


@pytest.fixture(scope="module")
def given():
    return blobs()


def test_choices_of_the_specification(vectors):
    for case in vectors["choose_raters"]:
        errors = np.array(case["errors"])
        agreement = 1 - 0.8 * (errors[:, None] + errors[None])
        np.fill_diagonal(agreement, 1)
        found = choose_raters(
            errors, agreement, case["size"], case["target_error"], case["target_agreement"]
        )
        result = case["result"]
        assert list(found.chosen) == result["chosen"]
        assert found.mean_error == pytest.approx(result["mean_error"], abs=1e-9)
        assert found.mean_agreement == pytest.approx(result["mean_agreement"], abs=1e-9)
        assert found.cost == pytest.approx(result["cost"], abs=1e-9)


@pytest.mark.parametrize("error", [0.2, 0.35, 0.5])
def test_errors_are_those_that_were_wanted_and_look_like_people(given, error):
    pool = RaterPool(pool_size=40, error=error, expert_share=0)
    found = pool.corrupt(given)
    counts = found.votes.counts(len(given), 6)
    figures = realism(counts, given.labels)
    assert figures.overall_error == pytest.approx(error, abs=0.05)
    assert figures.overdispersion > 1.5
    assert figures.intraclass_correlation > 0.08
    assert off_diagonal_test(counts, given.labels).cramer_v > 0.1
    assert found.mask.mean() == pytest.approx(figures.overall_error, abs=0.04)
    assert np.diag(found.transition).mean() == pytest.approx(1 - error, abs=0.07)


def test_raters_of_a_half_learn_from_the_other_half_alone(given, monkeypatch):
    seen = []

    def spy(teacher, labels, halves, *rest):
        seen.extend(halves)
        return train_candidates(teacher, labels, halves, *rest)

    monkeypatch.setattr("adc_plugins_review.simulators.rater_pool.train_candidates", spy)
    RaterPool(raters=2, pool_size=2).corrupt(given)
    (learned, told), (learned_2, told_2) = seen
    assert not np.intersect1d(learned, told).size
    assert np.array_equal(learned, told_2)
    assert np.array_equal(learned_2, told)
    assert len(learned) + len(told) == len(given)
    for rows in (learned, told):
        assert np.ptp(np.bincount(given.labels[rows])) <= 1
    labels = given.labels.copy()
    labels[told] = 0  # what they label must not matter to those who learned from the others
    pool, other = (
        train_candidates(Regressions(given.features, known, 3, 0), known, [(learned, told)], 0.2, 0)
        for known in (given.labels, labels)
    )
    assert np.array_equal(pool.label, other.label)


def test_an_expert_is_right_and_trusted(given):
    votes = RaterPool(raters=3, pool_size=4, votes_per_sample=2).corrupt(given).votes
    expert = votes.rater == 3
    assert votes.names[3] == "expert"
    assert votes.trusted.tolist() == [False, False, False, True]
    assert expert.sum() == 90
    assert (votes.label[expert] == given.labels[votes.item[expert]]).all()
    assert (np.bincount(votes.item[~expert]) == 2).all()
    assert votes.features.shape == (4, 5)


def test_the_papers_fold_leaves_a_half_alone(given):
    found = RaterPool(raters=3, pool_size=4, fold="paper").corrupt(given)
    told = np.unique(found.votes.item)
    assert len(told) == 450
    assert not found.mask[np.setdiff1d(np.arange(900), told)].any()


class Means:
    """Knows the mean color of each class, and is less sure of itself the hazier it is."""

    def __init__(self, means, haze, classes):
        self.means, self.haze, self.classes = means, haze, classes

    def predict(self, images):
        colors = np.stack([image.mean(axis=(0, 1)) for image in images])
        rng = np.random.default_rng(len(colors))
        scores = -((colors[:, None] - self.means) ** 2).sum(axis=2) / 1e3
        scores += self.haze * rng.normal(size=scores.shape)
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        return Predictions(probabilities=likely.astype(np.float32), classes=self.classes)


class MeanColors(Learner):
    """Learns the mean color of each class, and remembers what it was taught."""

    requires = ("images",)
    model = Means
    haze: float = 1.0

    def learn(self, dataset, validation=None):
        TAUGHT.append(set(dataset.ids.tolist()))
        colors = np.stack([image.mean(axis=(0, 1)) for image in dataset.images])
        means = [colors[dataset.labels == k].mean(axis=0) for k in range(3)]
        return Means(np.stack(means), self.haze, dataset.classes)


TAUGHT: list[set[str]] = []


def test_learners_are_raters_too():
    given = toy_dataset().relabeled(toy_truth()).replace(votes=None, features=None)
    learners = tuple(MeanColors(haze=haze) for haze in (0.1, 2, 9, 20, 40))
    pool = RaterPool(raters=3, learners=learners, error=0.3, expert_share=0)
    assert pool.required_columns == ("images",)
    TAUGHT.clear()
    found = pool.corrupt(given)
    assert len(TAUGHT) == 10
    first, second = (set.union(*half) for half in (TAUGHT[:5], TAUGHT[5:]))
    assert not first & second, "each half labels what the other half's raters have learned"
    wrong = found.votes.label != given.labels[found.votes.item]
    assert wrong.mean() == pytest.approx(0.3, abs=0.07)
    assert found.votes.feature_names == ("held_out_accuracy", "held_out_loss", "log_samples")
    with pytest.raises(InputError, match=r"5 learners for 10 raters: give more of them, or ra"):
        RaterPool(learners=learners).corrupt(given)
    with pytest.raises(InputError, match="learners need images"):
        RaterPool(raters=1, learners=learners).corrupt(given.replace(images=None))


def test_a_network_votes_in_a_pipeline():
    given = toy_dataset().relabeled(toy_truth()).replace(votes=None)
    network = {"use": "cross-entropy", "image_size": 8, "horizontal_flip": False, "device": "cpu"}
    pool = {"use": "rater-pool", "raters": 1, "learners": [network | {"epochs": 2}], "error": None,
            "fold": "paper", "expert_share": 0}  # fmt: skip
    (simulator,) = Pipeline(dataset=given, simulators=[pool]).simulators
    votes = simulator.corrupt(given).votes
    assert len(votes) == 75
    assert (votes.label == given.labels[votes.item]).mean() > 0.4


def test_one_seed_one_pool(given):
    first, second = (RaterPool(raters=3, pool_size=5, seed=4).corrupt(given) for _ in range(2))
    assert first == second
    assert RaterPool(raters=3, pool_size=5, seed=5).corrupt(given) != first


def test_an_error_out_of_reach_is_told(given, monkeypatch):
    said = []
    monkeypatch.setattr("adc_plugins_review.simulators.rater_pool.status", said.append)
    RaterPool(raters=3, pool_size=4, error=0.9).corrupt(given)
    assert "; 90% was wanted, but the candidates' errors are " in said[0]


def test_pools_that_cannot_be(given):
    with pytest.raises(InputError, match="pool_size is 3: give at least 10 raters"):
        RaterPool(pool_size=3).corrupt(given)
    with pytest.raises(InputError, match="1 has fewer than four samples"):
        RaterPool().corrupt(Dataset(labels=[0] * 9 + [1] * 3, features=np.ones((12, 2))))
