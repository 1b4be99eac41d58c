"""Trials score detectors on noise that is known, and choose among them."""

import numpy as np
import pytest

from adc_core import Dataset, Detector, Dynamics, Enricher, Findings, InputError
from adc_plugins_detect import SelfConfidence, nearest_neighbors
from adc_plugins_detect.trial.candidates import (
    EVIDENCE,
    ground_of,
    installed_detectors,
    prepared,
    some_samples,
    with_neighbors,
)
from adc_plugins_detect.trial.choice import Choice, choose
from adc_plugins_detect.trial.printed import advice, kinds_table, summary_table
from adc_plugins_detect.trial.trials import Trials, quality, run_trials


class Fixed(Detector):
    """Says what it was told, whatever the labels are."""

    values: tuple[float, ...] = ()

    def detect(self, dataset):
        if not self.values:
            raise InputError("it says nothing")
        return Findings(
            ids=dataset.ids,
            suspicion=np.array(self.values),
            flagged=np.zeros(len(dataset), bool),
            covered=~np.isnan(self.values),
        )


@pytest.fixture(scope="module")
def clusters():
    """300 samples of three classes, a tenth of them mislabelled; and the truth."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 300)
    features = (4 * np.eye(3, 6)[truth] + random.normal(size=(300, 6))).astype(np.float32)
    labels = np.where(random.random(300) < 0.1, (truth + 1) % 3, truth)
    return Dataset(labels=labels, features=features), truth


def test_quality_by_hand():
    wrong = np.array([True, False, True, False])
    # In order: wrong, right, wrong, right: (1 + 2/3) / 2, and one of two found at a budget of two.
    assert quality(wrong, np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx((5 / 6, 0.5))


def test_what_is_not_judged_comes_last():
    wrong = np.array([True, False, True, False])
    assert quality(wrong, np.array([np.nan, 0.8, 0.9, 0.7])).average_precision == pytest.approx(
        (1 + 2 / 4) / 2
    )


def test_a_failing_detector_is_left_out_with_its_reason(clusters):
    base, _ = clusters
    n = len(base)
    noise = {"first": lambda seed: np.where(np.arange(n) < 9, (base.labels + 1) % 3, base.labels)}
    values = tuple(np.linspace(1, 0, n))
    detectors = {"knows": Fixed(values=values), "opposite": Fixed(values=values[::-1])}
    trials = run_trials(base, detectors | {"silent": Fixed()}, noise, lambda one: one, 2)
    assert trials.names == ("knows", "opposite")
    assert trials.left_out == {"silent": "it says nothing"}
    assert trials.average_precision.shape == (2, 1, 2)
    assert (trials.average_precision[0] == 1).all() and (trials.f1[0] == 1).all()
    assert (trials.f1[1] == 0).all()
    with pytest.raises(InputError, match=r"^every detector failed: silent: it says nothing$"):
        run_trials(base, {"silent": Fixed()}, noise, lambda one: one, 1)


def test_those_that_judge_together_are_scored_and_equals_only_once(clusters):
    base, _ = clusters
    n = len(base)
    random = np.random.default_rng(0)
    wrong = np.arange(n) < 60
    noise = {"first": lambda seed: np.where(wrong, (base.labels + 1) % 3, base.labels)}
    some = [tuple(1 / (1 + np.exp(-1.0 * wrong - random.normal(size=n)))) for _ in range(2)]
    detectors = {
        "a": Fixed(values=some[0]),
        "like a": Fixed(values=some[0]),
        "b": Fixed(values=some[1]),
    }
    trials = run_trials(base, detectors, noise, lambda one: one, 1, [["a", "like a"], ["b"]])
    (together,) = [name for name in trials.names if " + " in name]
    assert set(together.split(" + ")) == {"a", "b"}
    means = dict(zip(trials.names, trials.average_precision.mean(axis=(1, 2)), strict=True))
    assert means[together] > max(means["a"], means["b"])


def test_noise_that_changes_nothing_is_refused(clusters):
    base, _ = clusters
    with pytest.raises(InputError, match=r"^none noise made none of 300 labels wrong: give more$"):
        run_trials(base, {"a": Fixed()}, {"none": lambda seed: base.labels}, lambda one: one, 1)


def test_the_most_suspicious_are_left_out_and_most_were_wrong(clusters):
    dataset, truth = clusters
    detectors = {"self-confidence": SelfConfidence()}
    ground = ground_of(dataset, detectors, rate=None)
    kept = ground.base.ids.astype(int)
    assert len(kept) + ground.left_out == len(dataset)
    assert (ground.base.labels != truth[kept]).mean() < 0.03
    assert 0.02 <= ground.rate <= 0.4
    assert ground.base.probabilities is None or "confusable" in ground.kinds
    whole = ground_of(dataset, detectors, trusted=True, rate=0.3)
    assert (whole.left_out, whole.rate, len(whole.base)) == (0, 0.3, len(dataset))


def test_probabilities_are_made_from_the_noisy_labels(clusters):
    dataset, _ = clusters
    prepare = prepared()
    before = prepare(dataset).probabilities.values
    after = prepare(dataset.relabeled((dataset.labels + 1) % 3)).probabilities.values
    assert np.allclose(np.roll(before, 1, axis=1), after, atol=1e-4)


class Flat(Enricher):
    """Makes the dynamics of two epochs that tell nothing."""

    def enrich(self, dataset):
        values = np.full((len(dataset), 2), 0.5, np.float32)
        seen = Dynamics(
            epochs=[1, 2], given_probability=values, margin=values, loss=values, correct=values > 0
        )
        return dataset.replace(dynamics=seen)


def test_dynamics_are_made_beside_probabilities(clusters):
    made = prepared(Flat())(clusters[0])
    assert made.has("dynamics") and made.has("probabilities")
    assert not prepared()(clusters[0]).has("dynamics")


def test_installed_detectors_read_what_is_there():
    found = installed_detectors(EVIDENCE)
    assert {"self-confidence", "simifeat", "deep-knn"} <= set(found)
    assert not {"aum", "ensemble", "dawid-skene", "visual-questions"} & set(found)
    assert "aum" in installed_detectors((*EVIDENCE, "dynamics"))


def test_neighbors_are_as_many_as_are_read(clusters):
    dataset, _ = clusters
    found = installed_detectors(EVIDENCE)
    graph = with_neighbors(dataset, [found["simifeat"]]).neighbors
    same = nearest_neighbors(dataset.features, graph.indices.shape[1])
    assert (graph.indices == same.indices).all()
    assert with_neighbors(dataset, [SelfConfidence()]).neighbors is None


def test_too_few_samples_are_refused(clusters):
    dataset, _ = clusters
    assert len(some_samples(dataset, 100, 0)) == 100
    assert some_samples(dataset, 1000, 0).ids.tolist() == dataset.ids.tolist()
    with pytest.raises(
        InputError, match=r"^40 samples cannot tell detectors apart: 50 are needed$"
    ):
        some_samples(dataset.take(np.arange(40)), 100, 0)


def trials_of(names, values):
    values = np.array(values, float)
    zeros = np.zeros(len(names))
    kinds = tuple(f"kind {m}" for m in range(values.shape[1]))
    return Trials(tuple(names), kinds, values, values, zeros, zeros, {})


def test_a_gain_everywhere_is_sure():
    trials = trials_of(["usual", "better"], [np.full((4, 3), 0.5), np.full((4, 3), 0.6)])
    choice = choose(trials, "usual")
    assert (choice.best, choice.recommended) == ("better", "better")
    assert choice[2:] == pytest.approx((0.1, 0.1, 0.1, 1.0))


def test_a_sure_but_small_gain_is_not_recommended():
    trials = trials_of(["usual", "better"], [np.full((4, 3), 0.5), np.full((4, 3), 0.51)])
    choice = choose(trials, "usual")
    assert (choice.best, choice.recommended, choice.probability) == ("better", "usual", 1)


def test_a_gain_under_one_kind_alone_is_not():
    better = np.full((4, 3), 0.48)
    better[0] = 0.9
    choice = choose(trials_of(["usual", "better"], [np.full((4, 3), 0.5), better]), "usual")
    assert (choice.best, choice.recommended) == ("better", "usual")
    assert choice.low < 0 < choice.gain
    assert choice.probability < 0.5


def test_the_usual_detector_stays_where_none_is_better():
    choice = choose(trials_of(["usual", "worse"], [np.full((3, 2), 0.5), np.full((3, 2), 0.4)]),
                    "usual")  # fmt: skip
    assert (choice.recommended, choice.gain, choice.probability) == ("usual", 0, 0)


def test_seeds_take_the_place_of_a_single_kind():
    trials = trials_of(["usual", "better"], [[[0.5, 0.5, 0.5]], [[0.6, 0.7, 0.8]]])
    assert choose(trials, "usual").probability == 1


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        (
            Choice("a", "b", 0.1, 0.05, 0.2, 0.95),
            "use a: a has +0.100 average precision on b; a choice made so gains +0.050…+0.200 "
            "(90 %) under other noise, and anything at all with probability 0.95",
        ),
        (
            Choice("a", "b", 0.1, -0.05, 0.2, 0.8),
            "use b, as `adc detect` does: a has +0.100 average precision on b; a choice made so "
            "gains -0.050…+0.200 (90 %) under other noise, and anything at all with probability "
            "0.80; less than +0.02 at the low end has been no gain on the mistakes of people",
        ),
        (
            Choice("b", "b", 0, 0, 0, 0),
            "use b, as `adc detect` does: nothing that was tried is better",
        ),
    ],
)
def test_advice_in_full(choice, says):
    assert advice(choice) == says


def test_tables_have_the_best_first():
    trials = trials_of(["usual", "better"], [np.full((2, 1), 0.5), [[0.6], [0.8]]])
    assert summary_table(trials).splitlines()[1].split() == [
        "better", "0.700", "0.600", "kind", "0", "0.700", "0.00", "0",
    ]  # fmt: skip
    assert kinds_table(trials, "usual").splitlines()[2].split() == [
        "*", "usual", "0.500", "0.500", "0.500",
    ]  # fmt: skip
