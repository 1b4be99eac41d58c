"""`adc apply`: carry out a list of moves and removals in a folder of one's own, or undo it."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from adc_core import Command, InputError, WorkError

if TYPE_CHECKING:
    from adc_plugins_publish.moves.carry_out import Place
    from adc_plugins_publish.moves.move_list import Move


class ApplyCommand(Command):
    """Move and remove the files that a list of `adc export --as moves` names, or undo it."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of `adc apply`."""
        parser.add_argument(
            "list", type=Path, metavar="FILE.csv", help="what `adc export --as moves` wrote"
        )
        parser.add_argument("--undo", action="store_true", help="put everything back")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def run(self, arguments: argparse.Namespace) -> int:
        """Check every file, then move; killed anywhere, the same command or --undo goes on.

        Raises:
            InputError: the list or a file of it is not as it must be; nothing was moved.
            WorkError: the disk refuses, or something cannot be undone.
        """

        if arguments.undo:
            return _undo(arguments.list, dry=arguments.dry_run)
        return _apply(arguments.list, dry=arguments.dry_run)


def _apply(file: Path, *, dry: bool) -> int:
    from adc_core.cli import shown_work
    from adc_plugins_publish.moves.carry_out import (
        Place,
        carry_out,
        journal_of,
        places_of,
        read_journal,
        write_journal,
    )
    from adc_plugins_publish.moves.move_list import read_move_list, shortened

    wanted = read_move_list(file)
    folder, name = wanted.folder, wanted.folder.name
    noted, begun = read_journal(file)
    if noted not in (None, folder):
        raise InputError(f"{journal_of(file)} is about {noted}, not {folder}: --undo first")
    before = {move.path: move for move in begun}
    moves: list[tuple[Move, Place]] = []
    faults: list[str] = []
    with shown_work("apply", folder):
        places = places_of(folder.parent, wanted.moves, begun)
        for move, place in zip(wanted.moves, places, strict=True):
            if not isinstance(place, str):
                moves.append((move, place))
                continue
            known = before.get(move.path)
            if known is not None and known.to != move.to:
                place = f"{move.path} was moved to {known.to} before: --undo first"
            else:
                place = f"{place}: fix it, or write no under `apply`"
            faults.append(f"{file}, line {move.line}: {place}")
        if faults:
            raise shortened(faults)
        ahead = [one for one in moves if one[1] is not Place.AFTER]
        if dry:
            return _would(ahead)
        journal = before | {move.path: move for move, _ in moves}
        write_journal(file, folder, [*journal.values()])
        carry_out(folder, moves)
    removed = sum(not move.to.startswith(f"{name}/") for move, _ in moves)
    there = f" to {name}-removed" if removed else ""
    print(f"{len(moves) - removed:,} moved, {removed:,} removed{there}: {folder}")
    if len(ahead) < len(moves):
        print(f"{len(moves) - len(ahead):,} of them before")
    print(f"undo: adc apply {file} --undo")
    return 0


def _undo(file: Path, *, dry: bool) -> int:
    from adc_core.cli import shown_work
    from adc_plugins_publish.moves.carry_out import (
        Place,
        carry_out,
        journal_of,
        places_of,
        read_journal,
        reversed_moves,
    )

    folder, begun = read_journal(file)
    if folder is None:
        raise InputError(f"{journal_of(file)} is not there: nothing of {file} was applied")
    back = reversed_moves(begun)
    moves: list[tuple[Move, Place]] = []
    faults: list[str] = []
    with shown_work("undo", folder):
        for move, place in zip(back, places_of(folder.parent, back, begun), strict=True):
            if isinstance(place, str):
                faults.append(f"{move.to} cannot be put back: {place}")
            else:
                moves.append((move, place))
        ahead = [one for one in moves if one[1] is not Place.AFTER]
        if dry:
            return _would(ahead)
        carry_out(folder, moves)
    for fault in faults:
        print(f"adc: {fault}", file=sys.stderr)
    if faults:
        raise WorkError(f"{len(ahead):,} put back, {len(faults):,} not: fix them and --undo again")
    journal_of(file).unlink()
    print(f"{len(ahead):,} put back: {folder}")
    return 0


def _would(moves: "list[tuple[Move, Place]]") -> int:
    for move, _ in moves:
        print(f"{move.path} -> {move.to}")
    print(f"{len(moves):,} files would be moved; nothing was done")
    return 0
