"""The ladder of reading: forty texts, refusals, scores."""

import numpy as np
import pytest

from adc_plugins_ask import answer_scores, question_values, read_answers, read_choice, refuses
from adc_plugins_ask.questions.class_questions import ClassQuestion

YES_OR_NO = [
    ("Yes", ["yes"]),
    ("No.", ["no"]),
    ("**No**, it is a shawl.", ["no"]),
    ("yes, there is no doubt", ["yes"]),
    ("There is no sweater here.", ["no"]),
    ("I know nothing of it", [None]),
    ("I don't know", ["unsure"]),
    ("Not sure; it is cropped.", ["unsure"]),
    ("Cannot tell", ["unsure"]),
    ("yes and no", ["yes"]),
    ("", [None]),
    ("<think>Is it? no... yes</think>No", ["no"]),
    ('{"answers": ["yes", "no", "unsure"]}', ["yes", "no", "unsure"]),
    ('```json\n{"answers": [true, false, "Yes, clearly"]}\n```', ["yes", "no", "yes"]),
    ('Sure: {"1": "no", "2": "yes"} hope it helps', ["no", "yes"]),
    ("1. Yes, wool.\n2. No\n3. cannot tell", ["yes", "no", "unsure"]),
    ("2) No\n1) Yes", ["yes", "no"]),
    ("1. Yes\n\nNote: I looked twice.\n3. no", ["yes", None, "no"]),
    ('{"answers": ["yes"]}', [None, None]),
    ("Yes\nNo", [None, None]),
    # Beside the reference's twenty.
    ("<think>no end", [None]),
    ("Q1. yes\n(2) no", ["yes", "no"]),
    ("[" * 5000, [None]),
    ('{"answers": [{"answer": "no"}, {"answer": 7}]}', ["no", None]),
    ("1. yes\n1. no", ["yes"]),
]


@pytest.mark.parametrize(("text", "answers"), YES_OR_NO)
def test_yes_or_no(text, answers):
    assert read_answers(text, len(answers)) == answers


OPTIONS = ["sweater", "shawl", "sweater vest", "none of these"]
CHOICES = [
    ("B", 1),
    ("b", 1),
    ("**C**", 2),
    ("(B)", 1),
    ("B. shawl", 1),
    ("A shawl", 1),
    ("The answer is C.", 2),
    ("Answer: D", 3),
    ("I think it is a sweater vest", 2),
    ("a sweater or a shawl", None),
    ("None of these.", 3),
    ("E", None),
    ("", None),
    ("Option A", 0),
    ("<think>B or C?</think>A", 0),
    ("A. shawl", None),
    ("B) shawl, not a sweater", 1),
    ("a", 0),
    ("The answer is a shawl", 1),
    ("I'm sorry, I can't help with that.", None),
]


@pytest.mark.parametrize(("text", "chosen"), CHOICES)
def test_choice(text, chosen):
    assert read_choice(text, OPTIONS) == chosen


@pytest.mark.parametrize(
    ("text", "declines"),
    [
        ("I'm sorry, but I can't help with identifying people.", True),
        ("I cannot tell", False),
        ("I\u2019m sorry, no.", False),
        ("Sorry", True),
        ("", False),
        ("I am unable to view images.", True),
        ("It is blurred", False),
    ],
)
def test_refusals(text, declines):
    assert refuses(text) == declines


ANSWERS = [
    ["yes", "yes", "yes", "no", "no"],
    ["yes", "yes", "no", "no", "yes"],
    ["no", "no", "yes", "yes", "no"],
    ["yes", "unsure", None, "no", "unsure"],
    [None, None, "yes", None, "unsure"],
    ["yes", "yes", "yes", "yes", "yes"],
]


def questions(*weights):
    expected = ["yes", "yes", "yes", "no", "no"]
    return [
        ClassQuestion(text=f"{n}?", expected=one, weight=weight)
        for n, (one, weight) in enumerate(zip(expected, weights, strict=True))
    ]


def test_suspicion_is_the_share_of_answers_that_do_not_fit():
    scores = answer_scores(ANSWERS, [questions(1, 1, 1, 1, 1)] * 6)
    np.testing.assert_allclose(scores.suspicion, [0, 0.4, 0.6, np.nan, np.nan, 0.4])
    assert scores.flagged.tolist() == [False, False, True, False, False, False]
    assert scores.covered.tolist() == [True, True, True, False, False, True]
    weighted = answer_scores(ANSWERS, [questions(2, 1, 1, 1, 1)] * 6)
    np.testing.assert_allclose(weighted.suspicion[:3], [0, 1 / 3, 2 / 3])


def test_a_tie_is_right_and_no_questions_judge_nothing():
    tie = [ClassQuestion(text="1?"), ClassQuestion(text="2?")]
    scores = answer_scores([["yes", "no"], []], [tie, tie])
    assert scores.suspicion[0] == 0.5 and not scores.flagged[0]
    assert not scores.covered[1]
    assert answer_scores([["yes", None]], [tie], min_answered=0.6).covered.tolist() == [False]


def test_what_a_question_tells():
    inside = [
        ["yes", "yes", "no"],
        ["yes", "no", "no"],
        ["yes", "yes", "no"],
        ["yes", "yes", "unsure"],
    ]
    outside = [
        ["no", "yes", "no"],
        ["no", "yes", "yes"],
        ["yes", "no", "yes"],
        ["no", "yes", "yes"],
    ]
    values = question_values(["yes", "yes", "no"], inside, outside)
    np.testing.assert_allclose(values, [0.75, 0, 0.75])
    assert np.isnan(question_values(["yes"], [[None]], [["yes"]])).all()
