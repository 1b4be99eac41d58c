"""The interface of the sub-commands of `adc`."""

from abc import ABC, abstractmethod
from argparse import ArgumentParser, Namespace


class Command(ABC):
    """A sub-command of `adc`: an entry point of the group `adc.commands` names its class.

    The first line of its docstring is its help. Its module is imported when the command is called,
    and asked for its arguments then, so heavy imports belong into `run`. `main` turns signals into
    KeyboardInterrupt and errors into lines; a command raises InputError and WorkError.
    """

    @abstractmethod
    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments to its parser."""

    @abstractmethod
    def run(self, arguments: Namespace) -> int:
        """Do the work; return the exit code, 0 where all is well."""
