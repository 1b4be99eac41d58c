"""Checksums of a folder's files, by which it shows when a byte of them changes."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from adc_core.arrays.hashing import hash_file
from adc_core.errors import WorkError
from adc_core.storage.plain_files import plain_files

SUMS = "SHA256SUMS"
"""The list of a folder's files with their sums, in the form that `sha256sum -c` reads."""


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
