"""The two ways a run can fail, by who has to act, and how each is reported.

A message is one line per fault, with its place and what to do.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time only where one is explained: `adc list` does without
    from pydantic import BaseModel, ValidationError


__all__ = [
    "InputError",
    "InputErrors",
    "RecordErrors",
    "WorkError",
    "explain",
    "lines_of",
    "unknown_name",
]


class InputError(ValueError):
    """What the user gave is wrong; the message is one line and says what to do (exit code 2).

    It is a `ValueError`, so pydantic collects every one in a file and says where each is.
    """


class InputErrors(InputError):  # noqa: N818 (the plural of InputError)
    """Several faults of one input, each of them one line.

    Attributes:
        faults: the lines.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


class RecordErrors(InputErrors):
    """A record was made from something that it cannot be made from.

    The caller of a function has given its arrays; within a component it is the component's
    fault.
    """


class WorkError(RuntimeError):
    """The work could not be done: a full disk, a damaged file, a busy directory (exit code 1)."""


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Say that there is no such name: with the near match, or with the list."""
    known = list(known)
    if close := get_close_matches(name, known, n=1):
        return f'there is no {what} "{name}": did you mean "{close[0]}"?'
    return f'there is no {what} "{name}"; there is {", ".join(known) or "none"}'


_CONSEQUENCE = "default_factory_not_called"
"""A default that was not made for a fault of another field, which is reported anyway."""


def lines_of(error: Exception) -> list[str]:
    """Format one line per fault of an error: `detectors.3.k: Input should be …`."""
    from pydantic import ValidationError

    if isinstance(error, InputErrors):
        return list(error.faults)
    if not isinstance(error, ValidationError):
        return [" ".join(str(error).split())]
    lines = []
    for fault in error.errors(include_url=False):
        if fault["type"] == _CONSEQUENCE:
            continue
        place = ".".join(str(part) for part in fault["loc"])
        message = " ".join(fault["msg"].removeprefix("Value error, ").split())
        lines.append(f"{place}: {message}" if place else message)
    return lines


def explain(model: "type[BaseModel]", error: "ValidationError") -> "ValidationError":
    """Add to faults of an unknown key or value which ones there are."""
    from pydantic import ValidationError
    from pydantic_core import InitErrorDetails, PydanticCustomError

    details: list[InitErrorDetails] = []
    for fault in error.errors(include_url=False):
        if fault["type"] == _CONSEQUENCE:
            continue
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            message = _unknown_key(model, str(fault["loc"][0]))
        elif fault["type"] == "literal_error":
            allowed = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
            if near := get_close_matches(str(fault["input"]), allowed, n=1):
                message = f"{message}: did you mean {near[0]!r}?"
        kind = PydanticCustomError("fault", "{message}", {"message": message})
        details.append(InitErrorDetails(type=kind, loc=fault["loc"], input=fault["input"]))
    return ValidationError.from_exception_data(error.title, details)


def _unknown_key(model: "type[BaseModel]", name: str) -> str:
    """Say what to write instead of a key: its new name, where it had another one before."""
    renamed: Mapping[str, str] = getattr(model, "renamed_options", {})
    if name in renamed:
        return f'"{name}" has a new name: write "{renamed[name]}"'
    return unknown_name("key", name, model.model_fields)
