"""Questions made by a model, once for each class."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from adc_endpoint import ChatModel, StructuredAnswer
from adc_plugins_ask.questions.class_questions import ClassQuestion, Expected

SYSTEM = "You help to check the labels of an image dataset."
_MAX_CHARACTERS = 200


class _Made(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    expected: Expected

    @field_validator("expected", mode="before")
    @classmethod
    def _fold(cls, value: Any) -> Any:
        return value.strip().casefold() if isinstance(value, str) else value

    @field_validator("text")
    @classmethod
    def _check(cls, text: str) -> str:
        text = " ".join(text.split())
        if not text.endswith("?"):
            raise ValueError(f"{text[:60]!r} does not end with a question mark")
        if len(text) > _MAX_CHARACTERS:
            raise ValueError(f"{text[:60]!r} is longer than {_MAX_CHARACTERS} characters")
        return text


class QuestionsAnswer(StructuredAnswer):
    """Questions with the answers that images of the class give."""

    schema_name: ClassVar[str] = "questions"

    questions: list[_Made]

    @model_validator(mode="after")
    def _check_all(self) -> Self:
        texts = [one.text.casefold() for one in self.questions]
        if len(set(texts)) < len(texts):
            raise ValueError("two questions are the same")
        if self.questions and all(one.expected == "yes" for one in self.questions):
            raise ValueError("all questions expect yes; at least one must expect no")
        return self

    @property
    def words(self) -> list[str]:
        """All words."""
        return [one.text for one in self.questions]

    @classmethod
    def example(cls) -> str:
        """Return the form as a prompt shows it."""
        return (
            '{"questions": [{"text": "…?", "expected": "yes"}, {"text": "…?", "expected": "no"}]}'
        )

    @classmethod
    def from_lines(cls, text: str) -> Self | None:
        """Read no list without JSON: it would lack the answers that are expected."""
        return None

    @classmethod
    def from_cut(cls, text: str) -> Self:
        """Return nothing of an answer that was cut: it is asked for again."""
        return cls(questions=[])


def ask_for_questions(
    class_name: str,
    classes: Sequence[str],
    confusable: Sequence[str],
    count: int,
    definition: str | None,
    attributes: Sequence[str],
) -> str:
    """Return the prompt that asks for a class's questions; it shows no image and no title."""
    others = ", ".join(name for name in classes if name != class_name)
    meant = f" By {class_name} is meant: {definition}." if definition else ""
    alike = (
        f" At least one question for each of {', '.join(confusable)} must expect no, and tell it "
        f"from {class_name}."
        if confusable
        else " At least one question must expect no."
    )
    varied = f" Images of a class differ in {', '.join(attributes)}." if attributes else ""
    return (
        f"An image dataset has the classes {', '.join(classes)}.{meant}{varied} Make {count} "
        f"questions that tell whether an image labelled {class_name} shows that and none of "
        f"{others}. Each can be answered with yes or no by looking at one image, names something "
        f"that is seen, and differs from the others; not every question names {class_name}. Say "
        f"of each what an image of {class_name} answers.{alike}"
    )


def generated_questions(
    model: ChatModel,
    class_name: str,
    classes: Sequence[str],
    confusable: Sequence[str],
    count: int,
    definition: str | None = None,
    attributes: Sequence[str] = (),
) -> tuple[ClassQuestion, ...]:
    """Return questions about a class, made by a model, `count` at most.

    Raises:
        InputError: endpoint, key or model are missing or wrong.
        WorkError: the endpoint fails, or the model answers nothing that can be used.
    """
    prompt = ask_for_questions(class_name, classes, confusable, count, definition, attributes)
    made = model.complete(prompt, QuestionsAnswer).value.questions
    return tuple(ClassQuestion(text=one.text, expected=one.expected) for one in made[:count])
