"""Folders that hold plain files alone.

Archives and repositories carry links. One in a folder of somebody else would lead what ADC reads,
writes and deletes there to any other place; a FIFO would stop it for ever.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from adc_core.errors import InputError

_CALLED = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def plain_files(folder: Path) -> Iterator[Path]:
    """List every file below a folder, where the folder itself may be a link.

    Raises:
        InputError: something below is neither a file nor a folder; the message names it.
        OSError: a folder cannot be listed.
    """
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                yield from plain_files(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
            elif (what := _what(entry)) is not None:
                raise InputError(
                    f"{entry.path} is {what}: only plain files and folders are allowed; remove "
                    "it, or ask the owner of the folder"
                )


def refuse_irregular(folder: Path) -> None:
    """Refuse a folder that holds more than plain files and folders.

    Raises:
        InputError: the message names the first that is neither.
        OSError: a folder cannot be listed.
    """
    for _ in plain_files(folder):
        pass


def _what(entry: "os.DirEntry[str]") -> str | None:
    try:
        mode = entry.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:  # gone between listing and looking
        return None
    return _CALLED.get(stat.S_IFMT(mode), "no plain file")
