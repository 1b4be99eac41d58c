"""Completion of commands, options and component names by the shell, where argcomplete is there.

`eval "$(register-python-argcomplete adc)"` switches it on in a shell.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from typing import Any

from adc_core.components.registry import registry

_KIND_OF = {"use": "detectors", "encoder": "encoders", "learner": "learners"}
_KIND_OF |= {"enricher": "enrichers"}
"""Option to the kind whose names it takes."""


def words_to_complete() -> list[str] | None:
    """Return the words after `adc` that a shell wants completed; None in an ordinary call."""
    if "_ARGCOMPLETE" not in os.environ:
        return None
    return os.environ.get("COMP_LINE", "").split()[1:]


def complete(parser: ArgumentParser, command: ArgumentParser | None) -> None:
    """Answer a shell that asks for completions, and end; do nothing in an ordinary call.

    Args:
        parser: of all commands.
        command: the built-in one that is on the line already.
    """
    if words_to_complete() is None:
        return
    try:
        from argcomplete import autocomplete
    except ImportError:
        raise SystemExit(1) from None
    for action in () if command is None else command._actions:
        if (names := _names_for(action.dest)) is not None:
            action.completer = names  # type: ignore[attr-defined]
    autocomplete(parser)


def _names_for(argument: str) -> Callable[..., Iterable[str]] | None:
    """Return what completes an argument; paths are left to the shell."""

    def of_kind(kind: str) -> list[str]:
        return [entry.name for entry in registry.entries(kind)]

    def chosen(parsed_args: Namespace, **_: Any) -> list[str]:
        return of_kind(getattr(parsed_args, "kind", None) or parsed_args.target)

    def kinds(**_: Any) -> Iterable[str]:
        return registry.kinds()

    if argument in _KIND_OF:
        return lambda **_: of_kind(_KIND_OF[argument])
    known: dict[str, Callable[..., Iterable[str]]] = {"kind": kinds, "target": kinds}
    return (known | {"name": chosen}).get(argument)
