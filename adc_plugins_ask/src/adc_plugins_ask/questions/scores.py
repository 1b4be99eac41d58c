"""What answers say of labels, and of questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adc_plugins_ask.answers.yes_no import Said
from adc_plugins_ask.questions.class_questions import ClassQuestion


@dataclass(frozen=True)
class Scores:
    """How well answers fit what is expected.

    Attributes:
        suspicion: N, one less the share of answers that fit; NaN where not covered.
        flagged: N booleans: less than half fit.
        covered: N booleans: enough questions were answered.
    """

    suspicion: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    covered: NDArray[np.bool_]


def answer_scores(
    answers: Sequence[Sequence[Said | None]],
    questions: Sequence[Sequence[ClassQuestion]],
    min_answered: float = 0.5,
) -> Scores:
    """Score answers to yes-or-no questions: the share, by weight, that are as expected.

    "Unsure" and what cannot be read are no answers. A label is flagged where less than half of the
    answers fit; a tie is right (VDC, Zhu et al., ICLR 2024, in its package's reading).

    Args:
        answers: of each sample, to its questions; none where it was not asked, or refused.
        questions: of each sample.
        min_answered: share of the questions that must be answered, or the sample is not covered.
    """
    suspicion = np.full(len(answers), np.nan)
    for row, (said, asked) in enumerate(zip(answers, questions, strict=True)):
        if not said:
            continue
        pairs = zip(said, asked, strict=True)
        fits = np.array([one == question.expected for one, question in pairs])
        there = np.array([one in ("yes", "no") for one in said])
        weights = np.array([question.weight for question in asked]) * there
        if there.any() and there.sum() >= min_answered * len(asked):
            suspicion[row] = weights[~fits].sum() / weights.sum()
    covered = ~np.isnan(suspicion)
    # Half of the answers, whatever the rounding of their weights.
    return Scores(suspicion, covered & (suspicion > 0.5 + 1e-12), covered)


def question_values(
    expected: Sequence[str],
    inside: Sequence[Sequence[Said | None]],
    outside: Sequence[Sequence[Said | None]],
) -> list[float]:
    """Return how much each question tells: how much more often images of its class fit.

    Args:
        expected: of each question.
        inside: answers about images of the class, one list for each image.
        outside: answers about images of other classes.

    Returns:
        Share of expected answers inside less that outside, of those that answered yes or no; NaN
        where nobody did.
    """
    return [
        _share(inside, place, wanted) - _share(outside, place, wanted)
        for place, wanted in enumerate(expected)
    ]


def _share(answers: Sequence[Sequence[Said | None]], place: int, wanted: str) -> float:
    said = [one[place] for one in answers if one[place] in ("yes", "no")]
    return float(np.mean([one == wanted for one in said])) if said else float("nan")
