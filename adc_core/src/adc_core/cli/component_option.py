"""A component on the command line: `NAME` or `NAME:option=value,option=value`.

Values are YAML, as in a pipeline file: `rule=vote`, `k=12`, `epoch=null`, `values=[1, 2]`. A comma
ends a value only where another `option=` follows it.
"""

import re
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from adc_core.components.component import Component
from adc_core.errors import InputError, InputErrors, lines_of

C = TypeVar("C", bound=Component)

_NEXT_OPTION = re.compile(r",(?=\s*\w+\s*=)")


def component_from(interface: type[C], flag: str, text: str) -> C:
    """Return the component that the words after a flag describe.

    Args:
        interface: what kind of component.
        flag: `--use`, for the message of an error.
        text: the words.

    Raises:
        InputErrors: one line per fault, each with its place: `--use simifeat: k: …`.
    """
    name, _, options = text.partition(":")
    place = f"{flag} {name}"
    try:
        return interface.model_validate({"use": name} | _options(place, options))
    except ValidationError as error:
        raise InputErrors(f"{place}: {line}" for line in lines_of(error)) from error


def _options(place: str, text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in _NEXT_OPTION.split(text) if text else ():
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals):
            raise InputError(f'{place}: "{part}" is not an option: write {name or "OPTION"}=VALUE')
        if name in options or name == "use":
            raise InputError(f'{place}: duplicate option "{name}"')
        try:
            options[name] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError) as error:
            raise InputError(f'{place}: {name}: "{value}" is not a YAML value') from error
    return options
