"""Files and folders that are written whole or not at all, and what the disk says if not."""

import errno
import json
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from adc_core.errors import InputError, WorkError

_CHANCE = 8
"""Bytes of chance in the name of a file that is being written."""

_ADVICE = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some of your quota and run again",
    errno.EROFS: "choose another folder",
    errno.EACCES: "choose another folder or allow writing",
}


@contextmanager
def atomic_folder(folder: Path, part: Path) -> Iterator[Path]:
    """Write a folder under another name and rename it when it is complete.

    Args:
        folder: the final place; replaced if it exists.
        part: where to write meanwhile, on the same file system.

    Raises:
        WorkError: the disk is full, read-only or otherwise refuses; nothing is left behind.
    """
    with translate_os_errors(folder):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            yield part
            folder.parent.mkdir(parents=True, exist_ok=True)
            if folder.exists():
                old = part.with_name(part.name + ".old")
                shutil.rmtree(old, ignore_errors=True)
                folder.rename(old)
                part.rename(folder)
                shutil.rmtree(old)
            else:
                part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Write a file under another name beside it and rename it when it is complete.

    The name is a new one, made by chance: no link that somebody left there is ever followed.

    Args:
        path: the final place; a file or a link there is replaced.

    Raises:
        WorkError: the disk is full, read-only or otherwise refuses; nothing is left behind.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(_CHANCE)}")
    with translate_os_errors(path):
        try:
            part.open("xb").close()
            yield part
            part.replace(path)
        except BaseException as error:
            if isinstance(error, OSError) and error.filename == str(part):
                error.filename = str(path)  # the name that the user knows
            part.unlink(missing_ok=True)
            raise


def files_cut_short(folder: Path, names: Iterable[str]) -> list[Path]:
    """Find what `atomic_file` left of files of these names where its process was killed."""
    left = "[0-9a-f]" * 2 * _CHANCE
    return [path for name in names for path in folder.glob(f".{escape(name)}.{left}")]


@contextmanager
def translate_os_errors(place: Path) -> Iterator[None]:
    """Turn what the operating system says about files into one line that names the place.

    Raises:
        WorkError: instead of an OSError of the block that is about a file or a disk.
    """
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0)
        if advice is None and error.filename is None:  # not about files: a network, a process
            raise
        where = error.filename or place
        advice = advice or "fix it and run again"
        raise WorkError(f"{where}: {error.strerror or error}: {advice}") from error


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON in UTF-8; within an atomic file or folder.

    Raises:
        OSError: the disk refuses.
    """
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def refuse_existing(folder: Path) -> None:
    """Refuse to write over something.

    Raises:
        InputError: the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} already exists: choose another folder or remove it")
