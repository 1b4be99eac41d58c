"""Answers to yes-or-no questions, in whatever form a model gives them."""

import re
from typing import Any, Literal

from adc_endpoint import json_values, without_thinking
from adc_plugins_ask.answers.plain_text import contains, plain, words_of

Said = Literal["yes", "no", "unsure"]

_YES, _NO = ("yes", "y", "true"), ("no", "n", "false")
_UNSURE = (
    *("unsure", "unclear", "unknown", "maybe", "cannot tell", "can't tell", "not sure"),
    "cannot say",
)
_NUMBERED = re.compile(r"^\s*[(\[]?[Qq]?(\d{1,3})[.):\]]+\s*(.*)$")


def read_answers(text: str, count: int) -> list[Said | None]:
    """Return what a text answers to numbered questions; None where it cannot be read.

    Of these the first that fits counts: JSON anywhere in it, as a list of the right length, under
    `answers`, or by number; lines that begin with a number; of a single question, all of it. Words
    count as a whole: there is no "no" in "know". A list of another length is not shifted into
    place.

    Args:
        text: what the model said.
        count: how many questions it was asked.
    """
    text = without_thinking(text)
    for value in json_values(text):
        if isinstance(value, list | dict):
            if (found := _from_json(value, count)) is not None:
                return found
            break
    numbered: dict[int, str] = {}
    for line in text.splitlines():
        if (match := _NUMBERED.match(plain(line))) and 1 <= int(match[1]) <= count:
            numbered.setdefault(int(match[1]), match[2])
    if numbered:
        return [read_one(numbered.get(number, "")) for number in range(1, count + 1)]
    return [read_one(text)] if count == 1 else [None] * count


def read_one(text: str) -> Said | None:
    """Return what a text answers to one question: yes, no, unsure, or None."""
    words = words_of(text)
    whole = " ".join(words)
    if whole in _YES:
        return "yes"
    if whole in _NO:
        return "no"
    if whole in _UNSURE:
        return "unsure"
    if words and words[0] in ("yes", "no"):
        return "yes" if words[0] == "yes" else "no"
    if any(contains(words, phrase) for phrase in (*_UNSURE, "do not know", "don't know")):
        return "unsure"
    there = {"yes", "no"} & set(words)
    if len(there) != 1:
        return None
    return "yes" if "yes" in there else "no"


def _from_json(value: Any, count: int) -> list[Said | None] | None:
    if isinstance(value, dict):
        if "answers" in value:
            value = value["answers"]
        elif found := {int(k): v for k, v in value.items() if str(k).strip().isdecimal()}:
            return [_of_value(found.get(number)) for number in range(1, count + 1)]
    if isinstance(value, list) and len(value) == count:
        return [_of_value(one) for one in value]
    return None


def _of_value(value: Any) -> Said | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        value = value.get("answer")
    return read_one(value) if isinstance(value, str) else None
