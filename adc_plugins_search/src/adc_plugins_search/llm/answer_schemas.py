"""What a model is asked to answer, and how its text is read, whatever form it has."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_FENCE = re.compile(r"```[\w-]*\n(.*?)(?:```|\Z)", re.DOTALL)
_ITEM = re.compile(r"^\s*(?:[-*•+]|\(?\d{1,3}[.):])\s+(.+?)\s*$")
_GROUP = re.compile(r"^[\s\-*•#\d.]*([^:]{1,60}?)\s*:[\s*]*(.*)$")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


class Answer(BaseModel, ABC):
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


class WordsAnswer(Answer):
    """A list of words or short phrases."""

    schema_name: ClassVar[str] = "words"

    options: list[str]

    @model_validator(mode="before")
    @classmethod
    def _take_a_bare_list(cls, value: Any) -> Any:
        return {"options": value} if isinstance(value, list) else value

    @property
    def words(self) -> list[str]:
        """All words."""
        return self.options

    @classmethod
    def example(cls) -> str:
        """Return the form as a prompt shows it."""
        return '{"options": ["…", "…"]}'

    @classmethod
    def from_lines(cls, text: str) -> Self | None:
        """Return the items of a numbered or bulleted list."""
        found = [item[1] for line in text.splitlines() if (item := _ITEM.match(line))]
        return cls(options=[_plain(one) for one in found]) if len(found) > 1 else None

    @classmethod
    def from_cut(cls, text: str) -> Self:
        """Return the items that were finished."""
        _, bracket, inside = text.partition("[")
        if bracket:
            whole = [json.loads(one) for one in _STRING.findall(inside)]
        else:
            listed = cls.from_lines(text.rpartition("\n")[0])
            whole = listed.options if listed else []
        return cls(options=whole)


class Group(BaseModel):
    """Words of one kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    options: list[str]


class GroupsAnswer(Answer):
    """Words in groups."""

    schema_name: ClassVar[str] = "groups"

    groups: list[Group]

    @property
    def words(self) -> list[str]:
        """All words."""
        return [word for group in self.groups for word in group.options]

    @classmethod
    def example(cls) -> str:
        """Return the form as a prompt shows it."""
        return '{"groups": [{"name": "…", "options": ["…", "…"]}]}'

    @classmethod
    def from_lines(cls, text: str) -> Self | None:
        """Return groups as `Neutrals: ash, beige`, or as a heading with a list below it."""
        groups: list[Group] = []
        for line in text.splitlines():
            if head := _GROUP.match(line):
                words = [_plain(word) for word in head[2].rstrip(".").split(",") if word.strip()]
                groups.append(Group(name=_plain(head[1]), options=words))
            elif (item := _ITEM.match(line)) and groups:
                groups[-1].options.append(_plain(item[1]))
        full = [group for group in groups if group.options]
        return cls(groups=full) if sum(len(group.options) for group in full) > 1 else None

    @classmethod
    def from_cut(cls, text: str) -> Self:
        """Return the groups that were finished."""
        groups: list[Group] = []
        for start in re.finditer(r"\{\s*\"name\"", text):
            try:
                value, _ = json.JSONDecoder().raw_decode(text, start.start())
                groups.append(Group.model_validate(value))
            except (ValueError, RecursionError):
                break
        return cls(groups=groups)


A = TypeVar("A", bound=Answer)


def read_answer(text: str, shape: type[A], *, cut: bool = False) -> A:
    """Return the answer that a text holds: as JSON, in a fence, within prose, or as a list.

    Args:
        text: what the model said.
        shape: what it was asked for.
        cut: whether it was cut; then what is whole of it counts, even if that is nothing.

    Raises:
        ValueError: nothing of the kind is there; the message, one line, says what is wrong.
    """
    text = _THINKING.sub("", text).strip()
    fault = "there is no JSON and no list in it"
    for value in _values(text):
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


def _values(text: str) -> Iterator[Any]:
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


def _plain(word: str) -> str:
    """Return a word of a list without its marks and without the remark behind it."""
    return re.split(r"\s+[–—-]\s+|:\s", word)[0].strip(" *_`\"'.")
