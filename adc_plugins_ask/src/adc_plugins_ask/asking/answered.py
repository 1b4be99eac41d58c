"""One image's questions: all at once, what cannot be read once more alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from adc_endpoint import ImageChat, SentImage
from adc_plugins_ask.answers.refusal import refuses
from adc_plugins_ask.answers.yes_no import Said, read_answers
from adc_plugins_ask.asking.sent_images import UndecodableError
from adc_plugins_ask.questions.class_questions import ClassQuestion, prompt_of, prompt_of_one


@dataclass(frozen=True)
class Answered:
    """What became of the questions about an image.

    Attributes:
        answers: to each of them; None where it could not be read.
        refused: whether the model declined.
        undecodable: why the image could not be shown, or None.
    """

    answers: tuple[Said | None, ...]
    refused: bool = False
    undecodable: str | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing was answered at all."""
        return self.refused or self.undecodable is not None


def ask_questions(
    chat: ImageChat, image: SentImage, questions: Sequence[ClassQuestion]
) -> Answered:
    """Ask all questions about an image in one request, and those without an answer once more.

    Raises:
        InputError: key, model or address are wrong.
        SpentError: the budget allows no further request.
        WorkError: the endpoint fails.
    """
    nothing = (None,) * len(questions)
    try:
        turn = chat.ask(prompt_of(questions), image)
    except UndecodableError as error:
        return Answered(nothing, undecodable=str(error))
    if turn.refusal is not None or refuses(turn.answer):
        return Answered(nothing, refused=True)
    answers = read_answers(turn.answer, len(questions))
    for place, (said, question) in enumerate(zip(answers, questions, strict=True)):
        if said is None:
            again = chat.ask(prompt_of_one(question), image)
            if again.refusal is None and not refuses(again.answer):
                (answers[place],) = read_answers(again.answer, 1)
    return Answered(tuple(answers))
