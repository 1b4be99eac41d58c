"""The command `adc`: one module per sub-command, imported when it is called."""

import platform
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from importlib_metadata import version

from adc_core.cli.completion import complete, words_to_complete
from adc_core.cli.parser import CommandParser
from adc_core.components.command import Command
from adc_core.components.kinds import COMMANDS
from adc_core.components.known_packages import PACKAGE_OF
from adc_core.components.registry import Entry, registry
from adc_core.components.signals import signal_handlers
from adc_core.components.summaries import summary_of
from adc_core.errors import InputError, WorkError, unknown_name

_CORE = "adc-core"

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `adc`; return its exit code: 0 done, 1 the work failed, 2 the input is wrong."""
    # Not list(…): once `adc list` was asked for, that name is a module of this package.
    words, debug = _without_debug([*(sys.argv[1:] if arguments is None else arguments)])
    with warnings.catch_warnings():
        warnings.showwarning = _say_warning
        try:
            with signal_handlers():
                return _dispatch(words, debug=debug)
        except KeyboardInterrupt:
            return _say("interrupted: run the same command again to continue", INTERRUPTED)
        except BrokenPipeError:
            return DONE
        except Exception as error:
            if debug:
                raise
            return _report(error)


def _without_debug(words: list[str]) -> tuple[list[str], bool]:
    """Take out --debug, wherever it is, but not one after `--`, which is another command's."""
    end = words.index("--") if "--" in words else len(words)
    own = [word for word in words[:end] if word != "--debug"]
    return own + words[end:], len(own) < end


def _dispatch(words: list[str], *, debug: bool) -> int:
    commands = _commands()
    name = _named_command(words)
    unfinished = words_to_complete() is not None
    if name is not None and name not in commands and not unfinished:
        if any(entry.name == name for entry in commands.values()):
            registry.find(COMMANDS, name)  # several packages offer it: this says which
        if (package := PACKAGE_OF.get((COMMANDS, name))) is not None:
            raise InputError(f'the command "{name}" is not installed: pip install {package}')
        raise InputError(unknown_name("command", name, commands))
    parser = CommandParser("adc", description="Automatic dataset construction.")
    parser.add_argument("--version", action="store_true", help="show which versions are installed")
    subparsers = parser.add_subparsers(metavar="COMMAND")
    chosen = None
    for known, entry in commands.items():
        help_ = summary_of(entry)
        sub = subparsers.add_parser(known, help=help_, description=help_)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        if known == name:
            command, chosen = _loaded(entry), sub
            command.add_arguments(sub)
            sub.set_defaults(_run=command.run, _options=sub.options())
    complete(parser, chosen if name and _is_built_in(commands.get(name)) else None)
    parsed = parser.parse(words)
    if parsed.version:
        print("\n".join(_versions()))
        return DONE
    if name is None:
        parser.print_help(sys.stderr)
        return WRONG_INPUT
    parsed.debug = debug
    exit_code: int = parsed._run(parsed)
    return exit_code


def _named_command(words: list[str]) -> str | None:
    """Return the first word, of the call or of the line that a shell wants completed."""
    typed = words_to_complete()
    return next((one for one in (words if typed is None else typed) if one[:1] != "-"), None)


def _commands() -> dict[str, Entry]:
    """Return the commands by their names; by `package/name` what several packages offer."""
    entries = registry.entries(COMMANDS)
    commands = {entry.name: entry for entry in entries if _is_built_in(entry)}
    others = [entry for entry in entries if not _is_built_in(entry)]
    offers = Counter(entry.name for entry in others)
    for entry in others:
        if entry.name in commands and _is_built_in(commands[entry.name]):
            warnings.warn(
                f'the command "{entry.name}" of {entry.package} is left out: it has the name of a '
                "built-in command",
                stacklevel=1,
            )
        else:
            commands[entry.name if offers[entry.name] == 1 else entry.full_name] = entry
    return commands


def _is_built_in(entry: Entry | None) -> bool:
    return entry is not None and entry.package == _CORE


def _loaded(entry: Entry) -> Command:
    """Import the class of a command now, and not before, and create it.

    Raises:
        InputError: what the entry names is not a Command.
    """
    found = registry.resolve(entry)
    if not (isinstance(found, type) and issubclass(found, Command)):
        raise InputError(f"{entry.origin} is not a Command: derive it from adc_core.Command")
    return found()


def _versions() -> list[str]:
    """Return the packages that offer components, and Python."""
    entries = (entry for kind in registry.kinds() for entry in registry.entries(kind))
    offering = {(entry.package, entry.version) for entry in entries}
    core = (_CORE, version(_CORE))
    here = sorted(offering | {core}, key=lambda pair: (pair != core, pair))
    return [*(" ".join(pair) for pair in here), f"Python {platform.python_version()}"]


def _report(error: Exception) -> int:
    """Say an error on one line per fault; return its exit code."""
    if isinstance(error, WorkError):
        return _say(str(error), FAILED)
    if isinstance(error, ValueError):
        from pydantic import ValidationError

        from adc_core.errors import lines_of

        if isinstance(error, InputError | ValidationError):
            return _say("\n".join(lines_of(error)), WRONG_INPUT)
    message = " ".join(str(error).split())
    return _say(f"{type(error).__name__}: {message} (--debug shows where)", FAILED)


def _say(text: str, exit_code: int) -> int:
    for line in text.splitlines():
        # A server's or a plugin's words may be among it.
        print(f"adc: {''.join(filter(str.isprintable, line))}", file=sys.stderr)
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
