"""How far people agree, and whose answers depend on the label."""

import numpy as np
import pytest

from adc_plugins_review.campaign.agreement import (
    FEWEST,
    Answers,
    KeptFigures,
    agreement_figures,
    counted_answers,
)


def answered(wrong=0.1, samples=600, people=8, seed=0):
    """Three of eight honest people, one who says yes and one who guesses answer each sample."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(samples) < wrong, -1, 1)
    item = np.repeat(np.arange(samples), 3)
    rater = np.concatenate([rng.choice(people + 2, 3, replace=False) for _ in range(samples)])
    honest = np.where(rng.random(len(item)) < 0.9, truth[item], -truth[item])
    guess = rng.integers(-1, 2, len(item))
    answer = np.where(rater == people, 1, np.where(rater == people + 1, guess, honest))
    return Answers(item, rater + 1, truth[item] + 1, answer)


def test_answers_of_people_who_look_depend_on_the_label():
    found = agreement_figures(answered(samples=1000)).discernment
    assert found.keys() == set(range(1, 11))
    assert min(found[person] for person in range(1, 9)) > 0.5
    assert found[9] < 0.05, "who always says yes"
    assert found[10] < 0.35, "who guesses"
    few = answered(samples=FEWEST * 3)
    assert agreement_figures(few).discernment == {}, "too few votes to tell"


def test_agreement_by_class_and_kept_until_somebody_answers():
    answers = answered()
    kept = KeptFigures()
    found = kept.of(answers)
    assert kept.of(Answers(*(column.copy() for column in answers))) is found
    assert kept.of(Answers(*(column[:-1] for column in answers))) is not found
    assert found.overall.items == 600
    assert found.overall.low < found.overall.alpha < found.overall.high
    # Of the labels that are wrong, class 0, and those that are right, class 2.
    assert list(found.classes) == [2, 0]
    assert sum(one.items for one in found.classes.values()) == 600


@pytest.mark.parametrize("path", ["", "/numbers"])
def test_the_dashboard_shows_them(make_review, serving, path):
    review = make_review(budget=60, repair=0, votes="3")
    with serving(review, workers=3) as served:
        assert "How far they agree" not in served.get(served.owner).body.decode()
        assert served.get(f"{served.owner}/numbers").json()["agreement"]["alpha"] is None
        for worker, words in enumerate((("yes", "no"), ("yes", "no"), ("no", "yes"))):
            for place, item in enumerate(served.deal(worker)["items"]):
                vote = {"n": item["n"], "answer": words[place % 2], "ms": 900}
                served.post(f"{served.workers[worker]}/vote", vote)
        answer = served.get(f"{served.owner}{path}")
    store = review.store()
    expected = agreement_figures(counted_answers(store)).overall
    store.close()
    assert expected.items == 20
    if path:
        found = answer.json()
        assert found["agreement"] == pytest.approx(expected._asdict())
        assert set(found["agreement_of_classes"]) <= set(review.plan.classes)
        assert {one["discernment"] for one in found["raters"]} == {None}
    else:
        assert f"alpha is {expected.alpha:.2f} ({expected.low:.2f} to" in answer.body.decode()
