"""`adc list`: what is installed, read from metadata and source without importing it."""

from argparse import ArgumentParser, Namespace

from adc_core.components.command import Command
from adc_core.components.registry import registry
from adc_core.components.summaries import summary_of
from adc_core.errors import InputError, unknown_name


class ListCommand(Command):
    """Show what is installed."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("kind", nargs="?", help=f"one of {', '.join(registry.kinds())}")

    def run(self, arguments: Namespace) -> int:
        """Print one line per component."""
        kinds = registry.kinds()
        if arguments.kind is not None and arguments.kind not in kinds:
            raise InputError(unknown_name("kind", arguments.kind, kinds))
        kinds = [arguments.kind] if arguments.kind else kinds
        entries = [entry for kind in kinds for entry in registry.entries(kind)]
        if not entries:
            raise InputError("nothing is installed: pip install 'adc-suite[all]'")
        rows = [
            (entry.kind, entry.name, f"{entry.package} {entry.version}", summary_of(entry))
            for entry in entries
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            print("  ".join([*cells, row[3]]).rstrip())
        return 0
