"""Reading a list of moves that a person has edited: every fault at once, nothing trusted."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adc_core import InputError
from adc_core.errors import InputErrors
from adc_plugins_publish.formats.file_names import folded

MOVE, REMOVE = "move", "remove"
"""What a line of a list asks for."""

REMOVED = "-removed"
"""Behind the folder's name: the sibling folder that removed files go to."""

_NEEDED = ("apply", "action", "path", "to", "sha256", "folder")
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0", ""}
_SHOWN = 20


@dataclass(frozen=True)
class Move:
    """A file that goes from one place to another.

    Attributes:
        line: of the list, from 1 with its head.
        path: where it is listed, relative to the folder's parent: `photos/cat/1.png`.
        to: where it should be: `photos/dog/1.png`, or `photos-removed/cat/1.png`.
        sha256: of its bytes.
    """

    line: int
    path: str
    to: str
    sha256: str


@dataclass(frozen=True)
class MoveList:
    """What a person agreed to.

    Attributes:
        folder: whose files are meant.
        moves: those with `apply` yes, in the list's order.
        declined: how many say no.
    """

    folder: Path
    moves: tuple[Move, ...]
    declined: int


def read_move_list(file: Path) -> MoveList:
    """Read a list that `adc export --as moves` wrote; separators may be commas, semicolons or tabs.

    Raises:
        InputError: the file cannot be read, or is no such list.
        InputErrors: lines that cannot be meant; every one with its number.
    """
    rows = _rows(file)
    folders = {row["folder"] for row in rows}
    if not rows:
        raise InputError(f"{file} lists nothing: there is nothing to do")
    if len(folders) > 1:
        raise InputError(f"{file} names several folders: keep the lines of one in each list")
    folder = Path(folders.pop())
    if not folder.is_absolute() or not folder.is_dir() or not folder.resolve().name:
        raise InputError(f"{file}: the folder {folder} is not there: fix the column `folder`")
    folder = folder.resolve()
    faults: list[str] = []
    moves: list[Move] = []
    declined = 0
    for line, row in enumerate(rows, start=2):
        try:
            if not _wanted(row["apply"]):
                declined += 1
            else:
                moves.append(_move(line, row, folder.name))
        except InputError as error:
            faults.append(f"{file}, line {line}: {error}")
    faults += [f"{file}, line {line}: {fault}" for line, fault in _twice(moves)]
    if faults:
        raise shortened(faults)
    return MoveList(folder, tuple(moves), declined)


def shortened(faults: list[str]) -> InputErrors:
    """Return an error with the first faults, and how many more there are."""
    more = [f"and {len(faults) - _SHOWN:,} more"] if len(faults) > _SHOWN else []
    return InputErrors([*faults[:_SHOWN], *more])


def confined(path: str) -> str:
    """Return a relative path as it is.

    Raises:
        InputError: it leads out of the folder that it is relative to.
    """
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\0" in path:
        raise InputError(f"{path!r} is no path below the folder: give one without `..`")
    return "/".join(parts)


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        head = text.partition("\n")[0]
        separator = max(",;\t", key=head.count)
        reader = csv.DictReader(text.splitlines(keepends=True), delimiter=separator, strict=True)
        rows = list(reader)
    except FileNotFoundError:
        raise InputError(f"{file} does not exist: fix the path") from None
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{file} cannot be read as .csv: {error}") from None
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"{file} has no column `{missing[0]}`: give a list that `adc export --as moves` wrote"
        )
    for line, row in enumerate(rows, start=2):
        if any(row[name] is None for name in _NEEDED):
            raise InputError(f"{file}, line {line}: columns are missing: fix or remove the line")
    return rows


def _wanted(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise InputError(f"`apply` is {text!r}: write yes or no")
    return word in _YES


def _move(line: int, row: dict[str, str], name: str) -> Move:
    action = row["action"].strip().lower()
    if action not in (MOVE, REMOVE):
        raise InputError(f"`action` is {row['action']!r}: write {MOVE} or {REMOVE}")
    path = confined(row["path"])
    to = f"{name}{REMOVED}/{path}"
    if action == MOVE:
        if not row["to"]:
            raise InputError("`to` is empty: write where the file should be, or remove for action")
        to = f"{name}/{confined(row['to'])}"
        if "/" not in confined(row["to"]):
            raise InputError(f"`to` is {row['to']!r}: write CLASS/NAME")
    return Move(line, f"{name}/{path}", to, row["sha256"].strip().lower())


def _twice(moves: list[Move]) -> Iterator[tuple[int, str]]:
    """Return files that are listed more than once, and places that are wanted for more than one."""
    paths: set[str] = set()
    places: set[str] = set()
    for move in moves:
        if move.path in paths:
            yield move.line, f"{move.path} is in the list twice: keep one"
        if folded(move.to) in places:
            yield move.line, f"another file is to become {move.to}: write another name"
        paths.add(move.path)
        places.add(folded(move.to))
