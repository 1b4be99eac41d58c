"""The argument parser of `adc`, whose complaints are one line that says what was meant."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any, NoReturn

from adc_core.errors import InputError, unknown_name


class CommandParser(ArgumentParser):
    """Takes a command's words, or raises an InputError."""

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        super().__init__(prog, **{"formatter_class": _Formatter, **options})

    def error(self, message: str) -> NoReturn:
        """Complain of words that do not fit.

        Raises:
            InputError: always.
        """
        raise InputError(f"{message} ({self.prog} --help shows the arguments)")

    def parse(self, words: Sequence[str]) -> Namespace:
        """Take all words.

        Raises:
            InputError: one of them is unknown, missing or too many.
        """
        parsed, left = self.parse_known_args(words)
        if left:
            word = left[0]
            if word.startswith("-"):
                known = [name for name in parsed._options if name.startswith("--")]
                raise InputError(unknown_name("option", word.partition("=")[0], known))
            self.error(f"unexpected argument: {word}")
        return parsed

    def options(self) -> list[str]:
        """Return the names of its options, as they are typed."""
        return [name for action in self._actions for name in action.option_strings]


class _Formatter(RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=16)
