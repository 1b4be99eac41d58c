"""Faults of what the user wrote: one line each, with its place and what to do."""

import re
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from adc_core.errors import InputErrors
from adc_core.errors import unknown

_CONSEQUENCE = "default_factory_not_called"
"""A default that was not made for a fault of another field, which is told anyway."""


def lines_of(error: Exception) -> list[str]:
    """One line per fault of an error: `detectors.3.k: Input should be …`."""
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


def explain(model: type[BaseModel], error: ValidationError) -> ValidationError:
    """The same faults, where an unknown key or value says which there are."""
    details: list[InitErrorDetails] = []
    for fault in error.errors(include_url=False):
        if fault["type"] == _CONSEQUENCE:
            continue
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            message = unknown("key", str(fault["loc"][0]), model.model_fields)
        elif fault["type"] == "literal_error":
            allowed = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
            if near := get_close_matches(str(fault["input"]), allowed, n=1):
                message = f"{message}: did you mean {near[0]!r}?"
        kind = PydanticCustomError("fault", "{message}", {"message": message})
        details.append(InitErrorDetails(type=kind, loc=fault["loc"], input=fault["input"]))
    return ValidationError.from_exception_data(error.title, details)
