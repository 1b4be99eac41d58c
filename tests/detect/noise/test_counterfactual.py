"""Expected wrong labels, against labels that are really drawn and flipped."""

import numpy as np
import pytest

from adc_plugins_detect.enrichers.ridge_probe import ridge_probe
from adc_plugins_detect.noise import counterfactual as module
from adc_plugins_detect.noise.counterfactual import Counterfactual


@pytest.fixture(scope="module")
def problem():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet((0.8, 0.4, 0.2, 0.1), 400)
    labels = (probabilities.cumsum(axis=1) < random.random((400, 1))).sum(axis=1)
    return labels, probabilities


def drawn(flips, labels, probabilities, times=400):
    """The suspicion of labels that are drawn for each sample from its predicted class's others."""
    random = np.random.default_rng(1)
    predicted = probabilities.argmax(axis=1)
    K = probabilities.shape[1]
    suspicion = []
    for row, likely in zip(probabilities, predicted, strict=True):
        if flips == "uniform":
            weights = np.bincount(labels, minlength=K).astype(float)
        elif flips == "confusable":
            weights = row.copy()
        else:
            weights = np.array(
                [((predicted == likely) & (labels == k)).sum() for k in range(K)], float
            )
        weights[likely] = 0
        wrong = random.choice(K, times, p=weights / weights.sum())
        suspicion.append(1 - row[wrong])
    return np.concatenate(suspicion)


@pytest.mark.parametrize("flips", ["uniform", "class-pair", "confusable"])
def test_curves_are_those_of_labels_that_were_really_flipped(problem, flips):
    curve = Counterfactual(*problem).curve(flips)
    suspicion = drawn(flips, *problem)
    for cut in (0.3, 0.6, 0.8, 0.9, 0.97, 0.999):
        assert curve.reaching(cut) == pytest.approx((suspicion >= cut).mean(), abs=0.005)
    assert (np.diff(curve.suspicion) <= 0).all() and (np.diff(curve.share) >= 0).all()
    assert curve.share[-1] == pytest.approx(1)


@pytest.mark.parametrize("flips", ["uniform", "class-pair", "confusable"])
def test_a_level_and_what_reaches_it_belong_together(problem, flips):
    curve = Counterfactual(*problem).curve(flips)
    for level in (0.01, 0.3, 0.5, 1.0):
        cut = curve.at_level(level)
        assert curve.reaching(cut) >= level - 1e-12
        assert curve.reaching(np.nextafter(cut, 2)) < level
    assert curve.reaching(1.1) == 0


def test_tails_are_shares_of_both(problem):
    expected = Counterfactual(*problem)
    cut = expected.curve("uniform").at_level(0.6)
    beyond = (expected.suspicion >= cut).mean()
    tail = expected.tail("uniform", 0.6)
    reached = expected.curve("uniform").reaching(cut)
    assert 0.02 < beyond < reached
    assert tail.ratio == pytest.approx(beyond / reached)
    assert tail.error == pytest.approx(2 * np.sqrt(beyond * (1 - beyond) / 400) / reached)
    assert expected.beyond(cut) == pytest.approx(beyond)
    assert expected.worst(beyond) >= cut > expected.worst(beyond + 1 / 400)


def test_suspicion_is_one_minus_the_probability_of_the_label(problem):
    labels, probabilities = problem
    expected = Counterfactual(labels, probabilities)
    np.testing.assert_array_equal(expected.suspicion, 1 - probabilities[np.arange(400), labels])
    assert expected.differs == (probabilities.argmax(axis=1) != labels).mean()


def sure(truth, n_classes=10):
    """Predictions of a model that is nearly always sure and right, each a little otherwise."""
    random = np.random.default_rng(2)
    values = random.uniform(0.001, 0.01, (len(truth), n_classes))
    values[np.arange(len(truth)), truth] = 1
    return values / values.sum(axis=1, keepdims=True)


def flipped(truth, share, n_classes=10):
    random = np.random.default_rng(3)
    wrong = random.random(len(truth)) < share
    return np.where(wrong, (truth + random.integers(1, n_classes, len(truth))) % n_classes, truth)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_rate_of_a_perfect_model_is_the_share_of_wrong_labels(share):
    truth = np.random.default_rng(0).integers(0, 10, 4000)
    labels = flipped(truth, share)
    expected = Counterfactual(labels, sure(truth))
    # It looks at the most suspicious third of the wrong labels, some share * 4000 * 0.3 of them.
    chance = 3 * share / np.sqrt(0.3 * share * 4000)
    assert expected.rate == pytest.approx((labels != truth).mean(), abs=chance)
    assert expected.separation == pytest.approx(1, abs=0.01)


def test_right_labels_have_rate_zero():
    truth = np.random.default_rng(0).integers(0, 10, 2000)
    assert Counterfactual(truth, sure(truth)).rate == 0


@pytest.mark.parametrize("sureness", [0.1, 1, 30])
def test_separation_is_a_half_where_predictions_know_nothing(sureness):
    """However sure they are: a network that has overfitted is sure of what it has not seen."""
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(5, 1 / sureness), 4000)
    assert Counterfactual(random.integers(0, 5, 4000), probabilities).separation == 0.5


def middling(truth):
    """Predictions of a model that errs where two classes look alike."""
    random = np.random.default_rng(5)
    scores = 1.5 * np.eye(6)[truth] + random.normal(0, 0.6, (len(truth), 6))
    weights = np.exp(3 * scores)
    return weights / weights.sum(axis=1, keepdims=True)


def test_separation_hardly_moves_with_the_noise_rate():
    truth = np.random.default_rng(0).integers(0, 6, 5000)
    values = middling(truth)
    separations = [
        Counterfactual(flipped(truth, share, 6), values).separation for share in (0.05, 0.2, 0.4)
    ]
    assert np.ptp(separations) < 0.05
    accuracies = [(flipped(truth, s, 6) == values.argmax(axis=1)).mean() for s in (0.05, 0.4)]
    assert accuracies[0] - accuracies[1] > 0.25  # which is why accuracy is no measure of evidence


@pytest.mark.parametrize("signal", [0.1, 0.3])
def test_weak_predictions_do_not_pass_for_good_evidence_of_much_noise(signal):
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 3000)
    features = signal * np.eye(4)[labels] + random.normal(size=(3000, 4))
    assert Counterfactual(labels, ridge_probe(labels, features).values).separation < 0.9


def test_samples_that_are_drawn_tell_what_all_tell(problem, monkeypatch):
    truth = np.random.default_rng(0).integers(0, 6, 6000)
    labels, values = flipped(truth, 0.2, 6), middling(truth)
    whole = Counterfactual(labels, values)
    monkeypatch.setattr(module, "_MOST_ROWS", 2000)
    part = Counterfactual(labels, values)
    assert part.rate == pytest.approx(whole.rate, abs=0.02)
    assert part.separation == pytest.approx(whole.separation, abs=0.01)
    np.testing.assert_array_equal(part.suspicion, whole.suspicion)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_other_precisions(dtype):
    truth = np.random.default_rng(0).integers(0, 10, 3000)
    labels, values = flipped(truth, 0.2), sure(truth)
    found = Counterfactual(labels, values.astype(dtype))
    exact = Counterfactual(labels, values.astype(dtype).astype(np.float64))
    assert found.rate == pytest.approx(exact.rate, abs=1e-3)


def test_predictions_that_leave_the_others_no_chance():
    truth = np.arange(60) % 3
    labels = truth.copy()
    labels[:6] = (labels[:6] + 1) % 3
    expected = Counterfactual(labels, np.eye(3)[truth])
    assert expected.curve("confusable").reaching(0) == 0
    assert expected.curve("class-pair").reaching(1) == pytest.approx(1)
    assert expected.rate == pytest.approx(0.1)
    assert expected.separation == pytest.approx(1)


def test_classes_with_few_samples_share_the_rate_of_all():
    truth = np.repeat(np.arange(150), 10)  # each class fewer than twenty
    labels = flipped(truth, 0.2, 150)
    expected = Counterfactual(labels, sure(truth, 150))
    whole = expected.tail("class-pair", module.LEVEL).ratio
    assert expected.rate == pytest.approx(min(1, whole))
    assert expected.rate == pytest.approx((labels != truth).mean(), abs=0.06)
