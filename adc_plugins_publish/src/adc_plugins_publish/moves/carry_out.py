"""Moving files so that none is ever lost or overwritten, wherever the work is stopped.

Where a file is says what has been done with it: at its listed place, at its new one, or for a
moment at both, as one file with two names. The journal beside the list only says what was begun, so
that all of it can be undone; it is written before the first file moves.
"""

import errno
import json
import os
import shutil
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path

from adc_core import InputError, WorkError, progress
from adc_core.arrays import hash_file
from adc_core.storage import translate_os_errors
from adc_plugins_publish.moves.move_list import REMOVED, Move, confined

_NO_LINKS = {
    errno.EPERM,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EXDEV,
    errno.EMLINK,
    errno.EACCES,
    errno.EINVAL,
}
"""What systems say that give no file two names, or not across disks."""


class Place(Enum):
    """Where a listed file is."""

    BEFORE = "at its listed place"
    AFTER = "at its new place"
    BOTH = "at both, as one file: the move was begun"


def journal_of(file: Path) -> Path:
    """Return where the moves that were begun are noted: beside the list."""
    return file.with_name(f"{file.name}.journal")


def read_journal(file: Path) -> tuple[Path | None, list[Move]]:
    """Return the folder and the moves of a list that were begun, in order; None without a journal.

    Raises:
        WorkError: it cannot be read, or leads out of its folder.
    """
    journal = journal_of(file)
    try:
        record = json.loads(journal.read_text(encoding="utf-8"))
        folder = Path(record["folder"])
        moves = [Move(0, move["path"], move["to"], move["sha256"]) for move in record["moves"]]
        ours = {folder.name, f"{folder.name}{REMOVED}"}
        for place in (place for move in moves for place in (move.path, move.to)):
            if confined(place).partition("/")[0] not in ours:
                raise ValueError(place)
    except FileNotFoundError:
        return None, []
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise WorkError(f"{journal} cannot be read: put back what it was") from error
    if not folder.is_absolute() or folder.resolve() != folder or not folder.parent.is_dir():
        raise WorkError(f"{journal} is about {folder}, which is not there: put it back")
    return folder, moves


def write_journal(file: Path, folder: Path, moves: Sequence[Move]) -> None:
    """Note the moves that are begun, on disk before this returns."""
    record = [{"path": move.path, "to": move.to, "sha256": move.sha256} for move in moves]
    journal = journal_of(file)
    new = journal.with_name(f".{journal.name}.new")
    with translate_os_errors(journal):
        with new.open("w", encoding="utf-8") as opened:
            json.dump(
                {"folder": str(folder), "moves": record}, opened, indent=1, ensure_ascii=False
            )
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(journal)
        _sync(journal.parent)


def places_of(parent: Path, moves: Sequence[Move], begun: Collection[Move]) -> list[Place | str]:
    """Return where each file is, or why that is unclear or nothing can be done.

    Args:
        parent: of the folder.
        moves: of files.
        begun: the moves that a journal knows, in either direction.
    """
    known = {frozenset((move.path, move.to)) for move in begun}

    def look(move: Move) -> Place | str:
        return _place(parent, move, begun=frozenset((move.path, move.to)) in known)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found: list[Place | str] = []
        for place in threads.map(look, moves):
            found.append(place)
            progress(len(found), len(moves), "file checked")
    return found


def _place(parent: Path, move: Move, *, begun: bool) -> Place | str:
    path, to = parent / move.path, parent / move.to
    for one in (path, to):
        if _leads_out(parent, one):
            return f"{one} is behind a link"
    before, after = (_is_it(one, move.sha256) for one in (path, to))
    if before and not os.path.lexists(to):
        return Place.BEFORE
    if after and not os.path.lexists(path):
        return Place.AFTER
    # Of a copy to another disk there are two files for a moment, of a move two names of one.
    if before and after and (begun or path.samefile(to)):
        return Place.BOTH
    if before:
        return f"{to} already exists"
    if os.path.lexists(path):
        return f"{path} is not the file that was listed"
    return f"{path} is not there"


def carry_out(folder: Path, moves: Sequence[tuple[Move, Place]]) -> None:
    """Move files, each whole or not at all, and remove folders that this leaves empty.

    Args:
        folder: whose files are moved.
        moves: with the place of each file.

    Raises:
        WorkError: the disk refuses; what was moved is moved, and the same again goes on.
    """
    parent = folder.parent
    for done, (move, place) in enumerate(moves, start=1):
        path, to = parent / move.path, parent / move.to
        with translate_os_errors(to):
            if place is Place.BEFORE:
                to.parent.mkdir(parents=True, exist_ok=True)
                _move(path, to)
            elif place is Place.BOTH:
                path.unlink()
        progress(done, len(moves), "file")
    _tidy(folder, {(parent / move.path).parent for move, _ in moves})


def reversed_moves(moves: Sequence[Move]) -> list[Move]:
    """Return what undoes moves, the last first; a duplicate move is undone once."""
    return [
        Move(move.line, move.to, move.path, move.sha256) for move in reversed(dict.fromkeys(moves))
    ]


def _move(path: Path, to: Path) -> None:
    """Give a file its new name; never over another, even one that appears this moment.

    A second name is refused where the name is taken, which a rename is not.
    """
    try:
        os.link(path, to, follow_symlinks=False)
    except FileExistsError:
        raise InputError(f"{to} already exists: move it away and run again") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _move_without_links(path, to)
        return
    path.unlink()


def _move_without_links(path: Path, to: Path) -> None:
    if os.path.lexists(to):
        raise InputError(f"{to} already exists: move it away and run again")
    try:
        path.rename(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another disk: the copy gets its name when it is whole.
        part = to.with_name(f".{to.name}.part")
        shutil.copy2(path, part)
        with part.open("rb") as opened:
            os.fsync(opened.fileno())
        part.rename(to)
        path.unlink()


def _tidy(folder: Path, left: set[Path]) -> None:
    """Remove sub-folders that are empty now: a class without images is none.

    Args:
        folder: that stays, empty or not.
        left: folders that files have left, here or among the removed files.
    """
    for place in left:
        while place not in (folder, folder.parent) and _remove_empty(place):
            place = place.parent


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return not folder.exists()
    return True


def _leads_out(parent: Path, path: Path) -> bool:
    """Tell whether a link is anywhere between the parent and the file, or is the file."""
    while path != parent:
        if path.is_symlink():
            return True
        path = path.parent
    return False


def _is_it(path: Path, sha256: str) -> bool:
    try:
        return path.is_file() and hash_file(path) == sha256
    except OSError:
        return False


def _sync(folder: Path) -> None:
    """Have the names in a folder written to the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
