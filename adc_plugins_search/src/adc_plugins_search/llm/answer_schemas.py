"""The answers that a design needs: words, and words in groups."""

import json
import re
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator

from adc_endpoint import StructuredAnswer

_ITEM = re.compile(r"^\s*(?:[-*•+]|\(?\d{1,3}[.):])\s+(.+?)\s*$")
_GROUP = re.compile(r"^[\s\-*•#\d.]*([^:]{1,60}?)\s*:[\s*]*(.*)$")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


class WordsAnswer(StructuredAnswer):
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


class GroupsAnswer(StructuredAnswer):
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


def _plain(word: str) -> str:
    """Return a word of a list without its marks and without the remark behind it."""
    return re.split(r"\s+[–—-]\s+|:\s", word)[0].strip(" *_`\"'.")
