"""What questions about images may cost, and that nothing is paid twice."""

import json

import numpy as np
import pytest
from pydantic import ValidationError
from seeing_server import about_images, squares

from adc_core import Dataset, ImageArray, InputError
from adc_plugins_ask import VisualQuestions


def test_a_budget_stops_before_it_is_exceeded_and_nothing_is_paid_twice(
    chat, dataset_of, ask, summary
):
    prices = {"price_in": 1000.0, "price_out": 0.0}  # .9 a request
    dataset = dataset_of(40, wrong=4)
    with pytest.raises(InputError, match=r"all 40 images cost about 36, more than max_cost 10"):
        ask(dataset, questions=0, max_cost=10, **prices)
    assert len(chat.requests) == 3
    with pytest.warns(UserWarning, match="26 of 40 images not asked about: the budget is spent"):
        found = ask(dataset, questions=0, max_cost=10, partial=True, **prices)
    assert len(chat.requests) == 3 + 11  # 9.9 and not 10.8
    assert found.covered.sum() == 14
    found = ask(dataset, questions=0, max_cost=100, **prices)
    np.testing.assert_array_equal(found.flagged, squares(40, 4)[2])
    bodies = [json.dumps(one, sort_keys=True) for one in chat.requests]
    assert len(set(bodies)) == len(bodies)
    assert summary()["cost"] == pytest.approx((26 + 5) * 0.9)


def test_what_makes_the_questions_counts_in_the_budget(chat, dataset_of, ask):
    with pytest.raises(InputError, match="the budget is spent before all questions are made"):
        ask(dataset_of(6), max_requests=2)
    assert len(chat.requests) == 2


def test_an_estimate_takes_what_makes_the_questions_once(chat, dataset_of, ask):
    prices = {"price_in": 1000.0, "price_out": 0.0}  # .9 a request
    with pytest.raises(InputError, match=r"all 40 images cost about 38\.7, more than max_cost 10"):
        ask(dataset_of(40), max_cost=10, **prices)
    assert len(chat.requests) == 3 + 3


def test_a_cost_needs_prices():
    with pytest.raises(ValidationError, match="set price_in and price_out, or max_requests"):
        VisualQuestions(max_cost=1)


def test_a_line_that_a_kill_cut_short_is_asked_again(chat, dataset_of, ask, tmp_path):
    first = ask(dataset_of(9, wrong=2), questions=0)
    path = tmp_path / "work" / "turns.jsonl"
    text = path.read_text()
    path.write_text(text[: len(text) - len(text.splitlines()[-1]) // 2])
    before = len(chat.requests)
    assert ask(dataset_of(9, wrong=2), questions=0).replace(notes=()) == first.replace(notes=())
    assert len(chat.requests) == before + 1


def test_the_same_image_twice_is_asked_about_once(chat, ask):
    images, labels, _ = squares(6)
    twice = Dataset(
        labels=np.tile(labels, 2),
        classes=("sweater", "shawl", "vest"),
        images=ImageArray(np.concatenate([images, images])),
    )
    found = ask(twice, questions=0)
    assert len(about_images(chat)) == 6 + 5
    np.testing.assert_array_equal(found.suspicion[:6], found.suspicion[6:])
