"""Which questions tell a class from the others: asked of some images of it, and of some others."""

import warnings
from collections.abc import Sequence

from adc_plugins_ask.asking.interview import Interview, ShownSample, shuffled
from adc_plugins_ask.questions.class_questions import ClassQuestion, Questions
from adc_plugins_ask.questions.scores import question_values

MIN_VALUE = 0.2
"""What is answered as expected so little more often within its class tells nothing."""


def useful_questions(
    interview: Interview, questions: Questions, classes: Sequence[str], count: int
) -> Questions:
    """Drop questions that images of other classes answer nearly as often as expected.

    Labels are taken as given; wrong ones make a question look a little less useful than it is. One
    question of each class stays, the best one.

    Args:
        interview: who is asked, of what.
        questions: of each class.
        classes: K names.
        count: images of the class to ask, and as many of others.
    """
    kept: dict[str, tuple[ClassQuestion, ...]] = dict(questions)
    for k, name in enumerate(classes):
        inside = _some([one for one in interview.samples if one.label == k], count, name)
        outside = _some([one for one in interview.samples if one.label != k], count, name)
        if not inside or not outside or len(questions[name]) < 2:
            continue
        values = question_values(
            [question.expected for question in questions[name]],
            interview.answers_of(inside, questions[name]),
            interview.answers_of(outside, questions[name]),
        )
        best = max(values, key=lambda value: -1.0 if value != value else value)
        told = [
            question
            for question, value in zip(questions[name], values, strict=True)
            if value >= MIN_VALUE or value == best
        ]
        for question, value in zip(questions[name], values, strict=True):
            if question not in told:
                warnings.warn(
                    f"{name}: {question.text!r} is not asked: it is answered {question.expected} "
                    f"only {value:.0%} more often within the class",
                    stacklevel=3,
                )
        kept[name] = tuple(told)
    return kept


def _some(samples: Sequence[ShownSample], count: int, seed: str) -> list[ShownSample]:
    """Return as many samples, drawn by the class's name, the same in every run."""
    return [samples[place] for place in shuffled(range(len(samples)), seed)[:count]]
