"""`adc show`: one component, which is imported."""

import inspect
import shutil
import sys
import textwrap
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from importlib_metadata import metadata

from adc_core.cli.list import ListCommand
from adc_core.components.command import Command
from adc_core.components.component import Component
from adc_core.components.interfaces import interface_of
from adc_core.components.registry import registry

_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


class ShowCommand(Command):
    """Show one component: what it is for and its options."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("kind", help=f"one of {', '.join(registry.kinds())}")
        parser.add_argument(
            "name",
            nargs="?",
            help="the component: NAME or PACKAGE/NAME (default: list all)",
        )

    def run(self, arguments: Namespace) -> int:
        """Print the component's docstring, columns, options and package."""
        if arguments.name is None:
            return ListCommand().run(arguments)
        component = registry.load(interface_of(arguments.kind), arguments.name)
        print(f"{registry.name_of(component)}\n\n{inspect.getdoc(component)}\n")
        for what, columns in (("requires", component.requires), ("provides", component.provides)):
            if columns:
                print(f"{what}: {', '.join(columns)}")
        print("options:")
        for line in _options(component):
            print(_wrapped(line))
        package = registry.name_of(component).partition("/")[0]
        about = metadata(package)
        license = about.get("License-Expression") or "license not stated"
        print(f"package: {package} {about['Version']}, {license}")
        return 0


def _options(component: type[Component]) -> list[str]:
    lines = []
    for name, field in component.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        value = "required" if field.is_required() else f"= {_short(default)}"
        kind = _type_name(field.annotation)
        allowed = _range([*field.metadata, *_inner_metadata(field.annotation)])
        lines.append(f"{name}: {kind} {value}{allowed}  {field.description or ''}")
    return lines or ["none"]


def _range(metadata: Sequence[Any]) -> str:
    """Return the bounds of a value: ` (0 … 1)`, ` (> 0)`; empty where there are none."""
    bounds = {
        name: getattr(part, name)
        for name in _SIGNS
        for part in metadata
        if getattr(part, name, None) is not None
    }
    if bounds.keys() == {"ge", "le"}:
        return f" ({bounds['ge']} … {bounds['le']})"
    shown = ", ".join(f"{_SIGNS[name]} {bound}" for name, bound in bounds.items())
    return f" ({shown})" if shown else ""


def _inner_metadata(annotation: Any) -> Iterator[Any]:
    """Return what accompanies the types of a union, such as `Annotated[int, Ge(3)] | None`."""
    if get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            if get_origin(part) is Annotated:
                yield from get_args(part)[1:]


def _wrapped(line: str) -> str:
    """Indent a line below the others, broken where a terminal is narrower."""
    if not sys.stdout.isatty():
        return f"  {line}"
    width = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(line, width, initial_indent="  ", subsequent_indent="      ")


def _type_name(annotation: Any) -> str:
    """Print a type as its author wrote it, without the validators that are attached to it."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(parts[0])
    if origin is Literal:
        return " or ".join(repr(part) for part in parts)
    if origin in (Union, UnionType):
        return " | ".join("null" if part is type(None) else _type_name(part) for part in parts)
    if origin is not None:
        inner = ", ".join("…" if part is ... else _type_name(part) for part in parts)
        return f"{origin.__name__}[{inner}]"
    return str(getattr(annotation, "__name__", annotation))


def _short(value: Any) -> str:
    return value.name if isinstance(value, Component) else repr(value)
