"""Folders that are written whole, and that show it when a byte of them changes."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from adc_core.arrays.hashing import hash_file
from adc_core.errors import InputError, WorkError
from adc_core.storage.plain_files import plain_files

SUMS = "SHA256SUMS"
"""The list of a folder's files with their sums, in the form that `sha256sum -c` reads."""


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
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with translate_os_errors(path):
        part.open("xb").close()
        try:
            yield part
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


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


def write_checksums(folder: Path, known: Mapping[str, str] | None = None) -> None:
    """Write the sums of all files below a folder.

    Args:
        folder: the folder.
        known: relative path to SHA-256, for files whose sum is known already.
    """
    known = known or {}
    files = sorted(path for path in _files(folder) if path != SUMS)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        sums = threads.map(lambda path: known.get(path) or hash_file(folder / path), files)
        lines = [f"{total}  {path}\n" for path, total in zip(files, sums, strict=True)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def read_checksums(folder: Path) -> dict[str, str]:
    """Read relative path to SHA-256 of a sealed folder, as written.

    Raises:
        WorkError: the list cannot be read.
    """
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").split("\n")
        return {path: total for total, path in (line.split("  ", 1) for line in lines if line)}
    except (OSError, ValueError) as error:
        raise WorkError(
            f"{folder / SUMS} is missing or damaged: remove {folder} to make it again"
        ) from error


def verify_checksums(folder: Path) -> dict[str, str]:
    """Check every file below a sealed folder; return relative path to SHA-256.

    Raises:
        WorkError: a file is missing, damaged or unknown; the message names it.
        InputError: something there is a link, or no file at all.
    """
    again = f"remove {folder} to make it again"
    sums = read_checksums(folder)
    there = set(_files(folder)) - {SUMS}
    for path in sorted(sums.keys() - there):
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise WorkError(f"{folder / SUMS} names {path!r}, which is not below it: {again}")
        raise WorkError(f"{folder / path} is missing: {again}")

    def check(path: str) -> None:
        try:
            total = hash_file(folder / path)
        except OSError as error:
            raise WorkError(
                f"{folder / path} cannot be read ({error.strerror}): {again}"
            ) from error
        if total != sums[path]:
            raise WorkError(f"{folder / path} is damaged (its SHA-256 differs): {again}")

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(check, sums):
            pass
    if unknown := there - sums.keys():
        raise WorkError(f"{folder / min(unknown)} does not belong there: remove it")
    return sums


def _files(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in plain_files(folder))


def refuse_existing(folder: Path) -> None:
    """Refuse to write over something.

    Raises:
        InputError: the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} already exists: choose another folder or remove it")
