"""Yes-or-no questions about the images of each class, and the file that people edit them in."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adc_core import InputError
from adc_core.storage import read_config, translate_os_errors

Expected = Literal["yes", "no"]


class ClassQuestion(BaseModel):
    """A question that an image of the class answers as expected.

    Attributes:
        text: what is asked.
        expected: what is true of images of the class.
        weight: how much its answer counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1)
    expected: Expected = "yes"
    weight: float = Field(default=1, gt=0)


Questions = Mapping[str, tuple[ClassQuestion, ...]]
"""Class name to its questions."""

ANSWER_FORM = (
    "Look at the image and answer each question with yes, no or unsure. Answer in JSON: "
    '{"answers": ["yes", ...]}.'
)
"""What is asked of every image, before its questions."""

ONE_WORD = "Answer with one word: yes, no or unsure."


def article(name: str) -> str:
    """Return a class name with its article."""
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def fixed_question(class_name: str, definition: str | None = None) -> ClassQuestion:
    """Return the question that is asked of every class: is it there?"""
    meant = f" ({definition})" if definition else ""
    return ClassQuestion(text=f"Is there {article(class_name)}{meant} in this image?")


def prompt_of(questions: Sequence[ClassQuestion]) -> str:
    """Return the request for answers to all of them at once."""
    listed = "\n".join(f"{number}. {one.text}" for number, one in enumerate(questions, 1))
    return f"{ANSWER_FORM}\n{listed}"


def prompt_of_one(question: ClassQuestion) -> str:
    """Return the request for the answer to one of them."""
    return f"Look at the image. {question.text} {ONE_WORD}"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    questions: dict[str, tuple[ClassQuestion, ...]]


def read_questions(path: Path, classes: Sequence[str]) -> Questions:
    """Read a file of questions, as `write_questions` writes it.

    Raises:
        InputError: it is no such file, or lacks a class.
    """
    try:
        questions = _File.model_validate(read_config(path, "questions")).questions
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {place}: {first['msg']}") from None
    for name in classes:
        if not questions.get(name):
            raise InputError(f"{path}: no questions for the class {name}")
    return questions


def write_questions(questions: Questions, path: Path) -> None:
    """Write questions, to be read, edited and given again.

    Raises:
        WorkError: the disk refuses.
    """
    table = {
        name: [one.model_dump(exclude_defaults=True) for one in of_class]
        for name, of_class in questions.items()
    }
    with translate_os_errors(path):
        text = yaml.safe_dump({"questions": table}, sort_keys=False, allow_unicode=True, width=100)
        path.write_text(text, encoding="utf-8")
