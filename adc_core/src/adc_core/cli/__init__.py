"""The command `adc`: one module per sub-command, imported when it is called."""

import sys
import warnings
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

from adc_core.errors import InputError, WorkError
from adc_core.interruption import listening
from adc_core.kinds import COMMANDS
from adc_core.registry import registry
from adc_core.summaries import summary_of

BUILT_IN = {
    "list": "show what is installed",
    "show": "show one component: what it is for and its options",
    "check": "check a pipeline file, or a component against the promises of its interface",
    "run": "run a pipeline file",
    "collect": "collect the images of a pipeline file, and no more",
    "detect": "find wrong labels in a dataset, without a pipeline file",
}
"""Sub-command to help; each is a module of this package."""

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `adc`; return its exit code: 0 done, 1 the work failed, 2 the input is wrong."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    warnings.showwarning = _say_warning
    try:
        with listening():
            return _dispatch(words)
    except KeyboardInterrupt:
        return _say("interrupted: the same command goes on from here", INTERRUPTED)
    except BrokenPipeError:
        return DONE
    except Exception as error:
        if debug:
            raise
        return _report(error)


def _dispatch(words: list[str]) -> int:
    commands = {entry.name: entry for entry in registry.entries(COMMANDS)}
    name = next((word for word in words if not word.startswith("-")), None)
    parser = ArgumentParser(
        "adc", description="Automatic dataset construction.", formatter_class=_Formatter
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for built_in, help_ in BUILT_IN.items():
        sub = subparsers.add_parser(built_in, help=help_, description=help_)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if name == built_in:
            module = import_module(f"adc_core.cli.{built_in}")
            module.add_arguments(sub)
            sub.set_defaults(_run=module.run)
    for entry in commands.values():
        if entry.name in BUILT_IN:
            warnings.warn(
                f'the command "{entry.name}" of {entry.package} is left out: it has the name of a '
                "built-in command",
                stacklevel=1,
            )
            continue
        summary = summary_of(entry)
        sub = subparsers.add_parser(entry.name, help=summary, description=summary)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if name == entry.name:
            command = registry.resolve(registry.find(COMMANDS, entry.name))()
            command.add_arguments(sub)
            sub.set_defaults(_run=command.run)
    parsed = parser.parse_args(words)
    exit_code: int = parsed._run(parsed)
    return exit_code


class _Formatter(RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=16)


def _report(error: Exception) -> int:
    """Say an error on one line per fault; return its exit code."""
    if isinstance(error, WorkError):
        return _say(str(error), FAILED)
    if isinstance(error, ValueError):
        from pydantic import ValidationError

        from adc_core.faults import lines_of

        if isinstance(error, InputError | ValidationError):
            return _say("\n".join(lines_of(error)), WRONG_INPUT)
    message = " ".join(str(error).split())
    return _say(f"{type(error).__name__}: {message} (--debug shows where)", FAILED)


def _say(text: str, exit_code: int) -> int:
    for line in text.splitlines():
        print(f"adc: {line}", file=sys.stderr)
    return exit_code


def _say_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"adc: warning: {message}", file=sys.stderr)
