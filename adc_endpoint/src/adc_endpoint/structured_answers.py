"""What a model is asked to answer, and how its text is read, whatever form it has."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[\w-]*\n(.*?)(?:```|\Z)", re.DOTALL)


class StructuredAnswer(BaseModel, ABC):
    """An answer in the form that was asked for.

    Subclasses keep to what every endpoint's strict mode understands: all fields required, no
    bounds on numbers or lengths.
    """

    schema_name: ClassVar[str]
    """The schema's name in requests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    @abstractmethod
    def words(self) -> list[str]:
        """All words."""

    @classmethod
    @abstractmethod
    def example(cls) -> str:
        """Return the form as a prompt shows it."""

    @classmethod
    @abstractmethod
    def from_lines(cls, text: str) -> Self | None:
        """Return the answer of a text without JSON; None where there is no list in it."""

    @classmethod
    @abstractmethod
    def from_cut(cls, text: str) -> Self:
        """Return what is whole of an answer that was cut, which may be nothing."""


A = TypeVar("A", bound=StructuredAnswer)


def read_answer(text: str, shape: type[A], *, cut: bool = False) -> A:
    """Return the answer that a text holds: as JSON, in a fence, within prose, or as a list.

    Args:
        text: what the model said.
        shape: what it was asked for.
        cut: whether it was cut; then what is whole of it counts, even if that is nothing.

    Raises:
        ValueError: nothing of the kind is there; the message, one line, says what is wrong.
    """
    text = without_thinking(text)
    fault = "there is no JSON and no list in it"
    for value in json_values(text):
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            fault = f"{place}: {first['msg']}" if place else first["msg"]
        break
    else:
        if not cut and (listed := shape.from_lines(text)) is not None:
            return listed
    if cut:
        return shape.from_cut(text)
    raise ValueError(fault)


def without_thinking(text: str) -> str:
    """Return what a model said after it had thought aloud."""
    return _THINKING.sub("", text).strip()


def json_values(text: str) -> Iterator[Any]:
    """Return JSON values of a text: all of it, those in fences, the first object or array."""
    for candidate in (text, *_FENCE.findall(text)):
        try:
            yield json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    decoder = json.JSONDecoder()
    for start in re.finditer(r"[\[{]", text):
        try:
            value, _ = decoder.raw_decode(text, start.start())
        except ValueError:
            continue
        except RecursionError:  # nested without end, and so is every part of it
            return
        yield value
        return
