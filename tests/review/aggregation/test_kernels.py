"""What votes say, by each method: numbers computed elsewhere, and what must not matter."""

import numpy as np
import pytest

from adc_core import InputError
from adc_plugins_review import (
    crowdlab,
    dawid_skene,
    krippendorff_alpha,
    krippendorff_interval,
    mace,
    majority,
    off_diagonal_test,
    one_coin,
    realism,
    verdicts,
    verification,
)

METHODS = {"dawid-skene": dawid_skene, "one-coin": one_coin, "mace": mace}
ANSWERS = {"yes": 1, "unsure": 0, "no": -1}


@pytest.fixture
def small(vectors):
    votes = vectors["small_votes"]
    return [np.array(votes[name]) for name in ("item", "rater", "label")]


@pytest.fixture(scope="module")
def planted():
    """Three hundred items, eight raters of whom some are biased, three classes."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 3, 300)
    confusion = rng.dirichlet(np.ones(3), (8, 3)) * 0.4 + 0.6 * np.eye(3)
    item, rater = np.nonzero(rng.random((300, 8)) < 0.5)
    steps = confusion[rater, truth[item]].cumsum(axis=1)
    label = (rng.random(len(item))[:, None] > steps).sum(axis=1).clip(max=2)
    return item, rater, label, truth


@pytest.mark.parametrize(
    ("name", "method", "fields"),
    [
        ("one_coin", one_coin, ("posterior", "skill")),
        ("mace", mace, ("posterior", "competence", "habit")),
        ("dawid_skene_smoothed", dawid_skene, ("posterior", "prior", "confusion")),
    ],
)
def test_em_finds_the_numbers_of_the_specification(vectors, small, name, method, fields):
    case, found = vectors[name], method(*small, classes=3)
    assert len(found.log_likelihoods) == case["steps"]
    assert found.log_likelihoods[-1] == pytest.approx(case["loglik_last"], abs=1e-9)
    for field in fields:
        assert getattr(found, field) == pytest.approx(np.array(case[field]), abs=1e-6)


def test_the_patients_of_1979(vectors):
    case = vectors["detection_dawid_skene_1979"]
    item, rater, label = [], [], []
    for patient, answers in enumerate(case["responses"]):
        for place, answer in enumerate(answers):  # the first rater answered three times
            item.append(patient)
            rater.append(max(0, place - 2))
            label.append(int(answer) - 1)
    found = dawid_skene(item, rater, label, classes=4, smoothing=0)
    assert found.prior == pytest.approx(np.array(case["prior"]), abs=1e-6)
    assert found.confusion[0] == pytest.approx(np.array(case["rater0_error"]), abs=1e-6)
    assert found.log_likelihoods[0] == pytest.approx(-205.091138, abs=1e-5)
    assert found.log_likelihoods[-1] == pytest.approx(-192.890881, abs=1e-5)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_no_number_of_an_item_rater_or_class_matters(planted, method):
    item, rater, label, truth = planted
    found = method(item, rater, label, items=300, raters=8, classes=3)
    assert (found.posterior.argmax(axis=1) == truth).mean() > 0.85
    rng = np.random.default_rng(1)
    items, raters, classes, order = (rng.permutation(n) for n in (300, 8, 3, len(item)))
    again = method(
        items[item][order],
        raters[rater][order],
        classes[label][order],
        items=300,
        raters=8,
        classes=3,
    )
    assert again.posterior[items][:, classes] == pytest.approx(found.posterior, abs=1e-7)


def test_the_likelihood_never_falls(planted):
    item, rater, label, _ = planted
    for method in METHODS.values():
        history = np.array(method(item, rater, label, smoothing=1e-9).log_likelihoods)
        assert (np.diff(history) > -1e-6).all()


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_single_votes_say_nothing_of_raters(method):
    with pytest.raises(InputError, match="each item has one vote: the majority is all there is"):
        method([0, 1, 2], [0, 0, 1], [0, 1, 1])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([0], [0, 1], [0]), r"items \(1,\), raters \(2,\), labels \(1,\): give one item"),
        (([], [], []), "there are none"),
        (([0, 0], [0, 1], [0.5, 1.0]), "labels are float64: give whole numbers"),
        (([0, -1], [0, 1], [0, 1]), "items: row 1 is -1, expected 0…"),
        (([0, 0], [0, 1], [0, 7]), "labels: row 1 is 7, expected 0…2"),
    ],
)
def test_votes_that_are_none(arrays, message):
    with pytest.raises(InputError, match=message):
        dawid_skene(*arrays, classes=3)


def test_items_without_votes_get_the_prior(small):
    found = dawid_skene(*small, items=8, classes=3)
    assert found.posterior[7] == pytest.approx(found.prior)
    assert found.posterior[:6] == pytest.approx(dawid_skene(*small, classes=3).posterior)


def test_crowdlab_finds_the_numbers_of_the_specification(vectors, small):
    found = crowdlab(*small, vectors["small_votes"]["probabilities"], raters=4)
    for name, value in vectors["crowdlab"].items():
        assert getattr(found, name) == pytest.approx(np.array(value), abs=1e-9), name


def test_crowdlab_without_a_second_vote_knows_nobody():
    with pytest.raises(InputError, match="no item has two votes"):
        crowdlab([0, 1], [0, 1], [0, 1], np.full((2, 2), 0.5))


def test_majorities_and_their_ties(vectors):
    case = vectors["detection_majority_vote"]
    table = np.array(case["votes"])
    item, rater = np.indices(table.shape).reshape(2, -1)
    found = majority(item, rater, table.ravel())
    assert found.label.tolist() == case["argmax"]
    assert found.share == pytest.approx(np.array(case["share"]))
    assert found.ties == 0.2
    assert majority(item, rater, table.ravel(), ties="abstain").label.tolist() == case["strict"]
    assert majority(item, rater, table.ravel(), ties="rarer").label[2] == 2
    predicted = np.tile([0.2, 0.5, 0.3], (5, 1))
    tied = majority(item, rater, table.ravel(), ties="probabilities", probabilities=predicted)
    assert tied.label[2] == 1
    assert majority([1], [0], [1], items=2).label.tolist() == [-1, 1]
    with pytest.raises(InputError, match="ties by probabilities need a matrix"):
        majority(item, rater, table.ravel(), ties="probabilities")


def test_agreement_beyond_chance(vectors):
    case = vectors["detection_krippendorff"]
    units = np.array([[-1 if v is None else v for v in row] for row in case["reliability"]]).T
    counts = np.stack([(units == value).sum(axis=1) for value in range(1, 6)], axis=1)
    assert krippendorff_alpha(counts) == pytest.approx(case["alpha"], abs=1e-12)
    assert krippendorff_alpha(case["counts2"]) == pytest.approx(case["alpha2"], abs=1e-12)
    assert krippendorff_alpha([[3, 0], [4, 0]]) == 1.0
    assert np.isnan(krippendorff_alpha([[1, 0]]))


def test_the_range_of_alpha_is_that_of_drawing_items_one_by_one():
    rng = np.random.default_rng(3)
    wrong = rng.random(300) < 0.2
    counts = np.stack([rng.multinomial(3, [0.7, 0.1, 0.2] if w else [0.1, 0.05, 0.85])
                       for w in wrong])  # fmt: skip
    counts = np.vstack([counts, np.eye(3, dtype=int)])  # of one vote: they do not count
    found = krippendorff_interval(counts)
    assert found.alpha == pytest.approx(krippendorff_alpha(counts), abs=1e-12)
    assert found.items == 300
    drawn = [krippendorff_alpha(counts[rng.integers(0, 300, 300)]) for _ in range(1000)]
    assert [found.low, found.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.015)
    assert krippendorff_interval([[3, 0], [4, 0]])[:3] == (1.0, 1.0, 1.0)
    assert np.isnan(krippendorff_interval([[1, 0]]).low)


@pytest.mark.parametrize("rule", ["majority", "no-objection", "unanimous"])
def test_rules_of_three_votes(vectors, rule):
    cases = vectors["verdicts"]
    item = np.repeat(np.arange(len(cases)), 3)
    answer = [ANSWERS[word] for case in cases for word in case["answers"]]
    expected = [1 if case[rule] else -1 for case in cases]
    assert verdicts(item, answer, rule).tolist() == expected
    assert verdicts(item[:2], answer[:2], rule).tolist() == [0]


def test_one_then_two(vectors):
    cases = vectors["verdicts_one_then_two"]
    item = [k for k, case in enumerate(cases) for _ in case["answers"]]
    answer = [ANSWERS[word] for case in cases for word in case["answers"]]
    expected = [{True: 1, False: -1, None: 0}[case["verdict"]] for case in cases]
    found = verdicts(item, answer, "one-then-two", items=len(cases))
    assert found.tolist() == expected
    backwards = slice(None, None, -1)
    times = np.arange(len(item))[backwards]
    order = verdicts(
        item[backwards], answer[backwards], "one-then-two", items=len(cases), order=times
    )
    assert order.tolist() == expected
    with pytest.raises(InputError, match="rule 'best': expected majority, "):
        verdicts([0], [1], "best")


def test_verification_by_two_latent_classes(vectors):
    case = vectors["verification"]
    answers = np.array(case["answers"])
    item, rater = np.indices(answers.shape).reshape(2, -1)
    found = verification(item, rater, answers.ravel(), items=8, raters=3)
    assert found.posterior[:, 0] == pytest.approx(case["posterior_right"], abs=1e-6)
    assert found.confusion == pytest.approx(np.array(case["confusion"]), abs=1e-6)
    assert found.log_likelihoods[-1] == pytest.approx(case["loglik_last"], abs=1e-9)
    counts = np.stack([(answers == value).sum(axis=1) for value in (1, 0, -1)], axis=1)
    assert krippendorff_alpha(counts) == pytest.approx(case["alpha"], abs=1e-12)


def test_coins_are_not_people():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 3000)
    wrong = rng.random((3000, 20)) < 0.2
    labels = np.where(wrong, (truth[:, None] + rng.integers(1, 4, wrong.shape)) % 4, truth[:, None])
    counts = np.stack([(labels == k).sum(axis=1) for k in range(4)], axis=1)
    coin = realism(counts, truth)
    assert coin.overdispersion < 1.1
    assert abs(coin.intraclass_correlation) < 0.02
    assert off_diagonal_test(counts, truth).cramer_v < 0.05
    with pytest.raises(InputError, match="fewer than two items"):
        realism(counts, np.full(3000, -1))
