"""`adc compare`: a comparison file, in a folder."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adc_core import Command, InputError
from adc_core.errors import InputErrors
from adc_plugins_compare.comparison.comparison import Comparison
from adc_plugins_compare.execution.compare import PAGE, compare

_DATA = {"dataset": "a dataset", "test": "a test set", "truth": "true labels"}


class CompareCommand(Command):
    """Run a grid of pipelines and seeds from one file, and make its tables."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the command's arguments."""
        parser.add_argument("file", type=Path, help="the comparison: .yaml, .toml or .json")
        parser.add_argument("--out", type=Path, help="the folder (default: runs/NAME OF THE FILE)")
        parser.add_argument(
            "--parallel",
            type=int,
            default=1,
            metavar="N",
            help="cells at a time, each in a process of its own (default: 1)",
        )
        for part, what in _DATA.items():
            parser.add_argument(
                f"--{part}", type=Path, metavar="PATH", help=f"{what} instead of the file's"
            )
        parser.add_argument(
            "--dry-run", action="store_true", help="check and list the cells, and run none"
        )
        parser.add_argument(
            "--block",
            action="append",
            default=[],
            metavar="PACKAGE/NAME",
            help="a listener to leave out, such as adc-plugins-publish/html-report",
        )

    def run(self, arguments: Namespace) -> int:
        """Run the comparison and print its tables; 1 where a cell failed."""
        if arguments.parallel < 1:
            raise InputError("--parallel: give a whole number from 1")
        replacing = {
            part: path.absolute()
            for part in _DATA
            if (path := getattr(arguments, part)) is not None
        }
        comparison = Comparison.read(arguments.file, replacing)
        folder = arguments.out or Path("runs", arguments.file.stem)
        try:
            if arguments.dry_run:
                cells = comparison.check()
                print("\n".join(cell.name for cell in cells))
                print(f"{len(cells)} cells, each can begin")
                return 0
            compared = compare(
                comparison, folder, parallel=arguments.parallel, block=arguments.block
            )
        except InputErrors as error:
            raise InputErrors(f"{arguments.file}: {fault}" for fault in error.faults) from error
        print(f"\n{compared}\n")
        failed = [outcome for outcome in compared.outcomes if outcome.error is not None]
        for outcome in failed:
            print(f"failed: {outcome.cell}: {outcome.error}")
        if failed:
            print(
                f"{len(failed)} of {len(compared.outcomes)} cells failed: "
                "the same command tries them again"
            )
        print(f"page: {folder / PAGE}")
        return 1 if failed else 0
