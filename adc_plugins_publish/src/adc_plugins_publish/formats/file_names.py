"""Names of files in an export: those that the user gave, as far as they can be kept."""

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from adc_core import Dataset, ImageFiles
from adc_core.arrays import Array
from adc_core.images import SUFFIXES

LONGEST = 200
"""Bytes of a folder's or file's name that every file system takes, with a number behind it."""


def original_paths(dataset: Dataset) -> list[str]:
    """Return where each sample was: `CLASS/sub/name.png`; where images are no files, its id alone.

    What would lead out of a folder, or cannot be a name everywhere, is replaced: by the file's name
    alone, else by the sample's row.
    """
    images = dataset.images
    if isinstance(images, ImageFiles):
        return [_safe(path, row) for row, path in enumerate(images.paths.tolist())]
    ids = [_safe(name, row) for row, name in enumerate(dataset.ids.tolist())]
    return [path.rpartition(".")[0] if is_image_name(path) else path for path in ids]


def below_class(path: str, classes: frozenset[str]) -> str:
    """Return the part of a path behind its first folder that is a class: `sub/name.png`."""
    parts = PurePosixPath(path).parts
    place = next((k for k, part in enumerate(parts[:-1]) if part in classes), -1)
    return "/".join(parts[place + 1 :])


def with_suffix(path: str, suffix: str) -> str:
    """Return a path with the suffix of its file's format; a suffix of any image stays.

    Args:
        path: with or without the suffix of an image.
        suffix: of the format of the file's bytes.
    """
    return path if is_image_name(path) else f"{path}{suffix}"


def is_image_name(path: str) -> bool:
    """Tell whether a file's name ends as that of an image."""
    return PurePosixPath(path).suffix.lower() in SUFFIXES


def key_of(path: str) -> str:
    """Return a path as the key of a WebDataset sample: up to the first dot of its last part."""
    whole = PurePosixPath(path)
    stem = whole.stem if is_image_name(path) else whole.name
    return str(whole.with_name(stem.replace(".", "_")))


def distinct_paths(wanted: Sequence[str], entitled: Array) -> tuple[list[str], int]:
    """Make paths distinct, also where a file system takes upper and lower case for the same.

    Of several samples with one path the first that is entitled to it keeps it, else the first;
    the names of the others end in -2, -3 and so on, before the suffix.

    Args:
        wanted: N paths.
        entitled: N booleans: samples that had their path before.

    Returns:
        N paths, and how many differ from those that were wanted.
    """
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    paths = [""] * len(wanted)
    renamed = 0
    for row in np.argsort(~np.asarray(entitled, dtype=np.bool_), kind="stable").tolist():
        path, number = wanted[row], numbers.get(wanted[row], 1)
        while folded(path) in taken:
            number += 1
            path = numbered(wanted[row], number)
        numbers[wanted[row]] = number
        taken.add(folded(path))
        paths[row] = path
        renamed += path != wanted[row]
    return paths, renamed


def numbered(path: str, number: int) -> str:
    """Return a path with a number behind its name: `sub/name-2.png`."""
    whole = PurePosixPath(path)
    stem, suffix = (whole.stem, whole.suffix) if is_image_name(path) else (whole.name, "")
    return str(whole.with_name(f"{stem}-{number}{suffix}"))


def folded(path: str) -> str:
    """Return a path as a file system sees it that takes upper and lower case for the same."""
    return unicodedata.normalize("NFC", path).casefold()


def _safe(text: str, row: int) -> str:
    parts = PurePosixPath(text).parts
    if text and not text.startswith("/") and all(map(_is_name, parts)):
        return "/".join(parts)
    name = parts[-1] if parts else ""
    return name if _is_name(name) and is_image_name(name) else f"{row:09}"


def _is_name(part: str) -> bool:
    short = len(part.encode(errors="replace")) <= LONGEST
    plain = part.isprintable() and not {"/", "\\", ":"} & set(part)
    return part not in ("", ".", "..") and short and plain
