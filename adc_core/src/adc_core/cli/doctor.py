"""`adc doctor`: what is installed here, what is broken, and how to mend it."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from adc_core.cli.examinations import (
    Examined,
    State,
    of_caches,
    of_components,
    of_device,
    of_environment,
    of_extras,
    of_names,
    of_packages,
    of_python,
)
from adc_core.components.command import Command

_MARKS = {State.FINE: "ok     ", State.NOTE: "note   ", State.BROKEN: "broken "}


class DoctorCommand(Command):
    """Say what is installed, which plugins are broken, and how to mend it."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument(
            "--fast", action="store_true", help="import no component, and look for no device"
        )

    def run(self, arguments: Namespace) -> int:
        """Print a line for each finding, with what to do below it; 1 where anything is broken."""
        broken = 0
        for one in _findings(fast=arguments.fast):
            print(f"{_MARKS[one.state]}{one.subject}: {one.finding}")
            if one.remedy:
                print(f"       -> {one.remedy}")
            broken += one.state is State.BROKEN
        print(f"{broken} broken" if broken else "nothing is broken")
        return 1 if broken else 0


def _findings(*, fast: bool) -> Iterator[Examined]:
    yield from of_python()
    yield from of_packages()
    yield from of_names()
    if not fast:
        yield from of_components()
    yield from of_extras()
    if not fast:
        yield from of_device()
    yield from of_caches()
    yield from of_environment()
