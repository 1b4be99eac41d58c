"""What came of the questions: how much was answered, how the questions did, what it cost."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from adc_core.storage import translate_os_errors
from adc_endpoint import ImageChat
from adc_plugins_ask.asking.answered import Answered
from adc_plugins_ask.questions.class_questions import Questions

SUMMARY = "asked.json"
"""The file that says what came of the questions."""

_USELESS = 0.97
"""A question that nearly all images answer alike tells nothing."""

_FEW = 30
"""With fewer answers such a share says nothing of the question."""

_AGREEABLE = 0.2
"""A model that surely says yes so often to another class is no witness."""


@dataclass(frozen=True)
class QuestionSummary:
    """How a question did.

    Attributes:
        class_name: whose question it is.
        text: of the question.
        expected: what is true of images of the class.
        answered: how many answers were yes or no.
        yes: share of yes among these, or None.
    """

    class_name: str
    text: str
    expected: str
    answered: int
    yes: float | None


@dataclass(frozen=True)
class Summary:
    """What came of all questions of a run.

    Attributes:
        model: the model's name.
        host: where it answers.
        images: distinct images with their labels.
        not_asked: of them, for want of budget.
        refused: of them, by the model or the endpoint's filter.
        undecodable: of them.
        unreadable: answers that could not be read, of all that were asked for.
        unsure: answers that were unsure.
        requests: of this run; what was answered before is not asked again.
        cost: of this run, in the currency of the prices; None without prices.
        control_asked: questions about a class that is not the label, that were answered.
        control_yes: share of yes among these, or None.
        questions: how each did.
    """

    model: str
    host: str
    images: int
    not_asked: int
    refused: int
    undecodable: int
    unreadable: int
    unsure: int
    requests: int
    cost: float | None
    control_asked: int
    control_yes: float | None
    questions: tuple[QuestionSummary, ...]

    def write(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            WorkError: the disk refuses.
        """
        with translate_os_errors(path):
            text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
            path.write_text(text + "\n", encoding="utf-8")

    def notes(self) -> tuple[str, ...]:
        """Say in sentences who was asked what, how much was answered, and for how much."""
        asked = self.images - self.not_asked
        each = len(self.questions) / max(1, len({one.class_name for one in self.questions}))
        cost = "" if self.cost is None else f" for {self.cost:.4g}"
        unread = f"{self.unsure:,} unsure, {self.unreadable:,} unreadable"
        lines = [
            f"{self.model} at {self.host} was asked about {asked:,} of {self.images:,} images, "
            f"{each:.3g} questions each, {self.requests:,} requests in this run{cost}; {unread}, "
            f"{self.refused:,} images refused"
        ]
        if self.control_yes is not None:
            yes = round(self.control_yes * self.control_asked)
            lines.append(
                f"it said yes to {yes} of {self.control_asked} questions about a class that is not "
                "the label"
            )
        return tuple(lines)

    def warn(self) -> None:
        """Warn of what makes the answers worth less."""
        lost = {
            "not asked about: the budget is spent; raise it and run again, answers are kept": (
                self.not_asked
            ),
            "refused by the model": self.refused,
            "undecodable": self.undecodable,
        }
        for reason, count in lost.items():
            if count:
                self._warn(f"{count:,} of {self.images:,} images {reason}")
        if self.control_yes is not None and (
            _at_least(self.control_yes, self.control_asked) > _AGREEABLE
        ):
            self._warn(
                f"{self.model} says yes to {self.control_yes:.0%} of {self.control_asked} "
                "questions about a class that is not the label: its yes proves little"
            )
        useless = [
            one
            for one in self.questions
            if one.yes is not None
            and one.answered >= _FEW
            and (one.yes > _USELESS if one.expected == "no" else one.yes < 1 - _USELESS)
        ]
        for one in useless:
            self._warn(
                f"{one.class_name}: {one.yes:.0%} say yes to {one.text!r}, where {one.expected} is "
                "expected: edit the question"
            )

    def _warn(self, text: str) -> None:
        warnings.warn(text, stacklevel=4)


def summarize(
    chat: ImageChat,
    labels: Sequence[str],
    answers: Sequence[Answered | None],
    questions: Questions,
    controls: Sequence[bool],
) -> Summary:
    """Sum up what was answered.

    Args:
        chat: the model that was asked.
        labels: class names of what was asked about.
        answers: of each of them; None where it was not asked.
        questions: of each class.
        controls: whether questions about other classes were answered with yes.
    """
    there = [one for one in answers if one is not None]
    said = [word for one in there if not one.silent for word in one.answers]
    by_class: dict[str, list[Answered]] = {}
    for name, one in zip(labels, answers, strict=True):
        if one is not None and not one.silent:
            by_class.setdefault(name, []).append(one)
    summaries = []
    for name, of_class in questions.items():
        for place, question in enumerate(of_class):
            words = [one.answers[place] for one in by_class.get(name, ())]
            yes = [word == "yes" for word in words if word in ("yes", "no")]
            share = float(np.mean(yes)) if yes else None
            summaries.append(
                QuestionSummary(name, question.text, question.expected, len(yes), share)
            )
    return Summary(
        model=chat.name,
        host=chat.endpoint.host,
        images=len(answers),
        not_asked=sum(one is None for one in answers),
        refused=sum(one.refused for one in there),
        undecodable=sum(one.undecodable is not None for one in there),
        unreadable=sum(word is None for word in said),
        unsure=said.count("unsure"),
        requests=chat.budget.requests,
        cost=chat.budget.spent if chat.prices.known else None,
        control_asked=len(controls),
        control_yes=float(np.mean(controls)) if controls else None,
        questions=tuple(summaries),
    )


def _at_least(share: float, count: int) -> float:
    """Return the lower end of Wilson's 95 % interval of a share."""
    z = 1.959964
    middle = share + z * z / (2 * count)
    spread = z * ((share * (1 - share) + z * z / (4 * count)) / count) ** 0.5
    return float((middle - spread) / (1 + z * z / count))
