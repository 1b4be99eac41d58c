"""Image folders: `CLASS/…` or `SPLIT/CLASS/…`, as people keep them."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adc_core.errors import InputError
from adc_core.images.sequence import SUFFIXES, ImageFiles
from adc_core.records.dataset import Dataset
from adc_core.storage.splits import SPLIT, are_splits

_NOT_DATA = frozenset({"__MACOSX"})
"""Folders that programs leave beside data; the other kind begin with a dot."""

_SHOWN = 3


@dataclass
class _Found:
    """What a walk through a folder met.

    Attributes:
        paths: of the images, relative to the folder.
        classes: the class of each.
        splits: the split of each; empty where there are none.
        empty: class folders without images.
        hidden: names of folders that were not entered.
    """

    paths: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)


def read_image_folder(folder: Path) -> Dataset:
    """Read images in class sub-folders, or in class sub-folders of splits.

    Where all sub-folders are called like splits (`train`, `val`, `test`, …) and hold class
    folders, all splits are read: the classes are those of any split, and the column `split` says
    where a sample was. Hidden folders and files are not read, nor are class folders without images;
    a warning says what was left out, and that splits were recognised.

    Raises:
        InputError: there is no class folder, or none that holds images.
    """
    found = _Found()
    names = _sub_folders(folder, found.hidden)
    if not names:
        raise InputError(f"{folder} has no class sub-folders: put images into {folder}/CLASS/")
    splits = [name for name in names if _sub_folders(folder / name, found.hidden)]
    if are_splits(names) and splits:
        for split in splits:
            for name in _sub_folders(folder / split, found.hidden):
                _read_class(folder, f"{split}/{name}", name, found)
            found.splits += [split] * (len(found.paths) - len(found.splits))
    else:
        if are_splits(names):
            _say(f"{folder}: {_listed(names)} are read as classes: no class sub-folders in them")
        splits = []
        for name in names:
            _read_class(folder, name, name, found)
    if not found.paths:
        raise InputError(
            f"{folder / found.empty[0]} holds no images ({', '.join(sorted(SUFFIXES))})"
        )
    _warn(folder, found, [name for name in names if splits and name not in splits])
    classes, labels = np.unique(found.classes, return_inverse=True)
    return Dataset(
        ids=found.paths,
        labels=labels,
        classes=tuple(classes.tolist()),
        images=ImageFiles(folder, found.paths),
        columns={SPLIT: np.asarray(found.splits)} if splits else {},
    )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in _NOT_DATA


def _sub_folders(folder: Path, hidden: set[str]) -> list[str]:
    names = sorted(item.name for item in folder.iterdir() if item.is_dir())
    hidden.update(name for name in names if _is_hidden(name))
    return [name for name in names if not _is_hidden(name)]


def _read_class(root: Path, place: str, name: str, found: _Found) -> None:
    paths = sorted(_image_paths(root, root / place, found.hidden))
    if not paths:
        found.empty.append(place)
    found.paths += paths
    found.classes += [name] * len(paths)


def _image_paths(root: Path, folder: Path, hidden: set[str]) -> Iterator[str]:
    for parent, inner, names in os.walk(folder):
        hidden.update(name for name in inner if _is_hidden(name))
        inner[:] = [name for name in inner if not _is_hidden(name)]
        for name in names:
            suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 (a million names)
            if suffix in SUFFIXES and not name.startswith("."):
                yield Path(parent, name).relative_to(root).as_posix()


def _warn(folder: Path, found: _Found, loose: list[str]) -> None:
    """Say what was decided without being asked for."""
    if found.splits:
        names, counts = np.unique(found.splits, return_counts=True)
        sizes = ", ".join(
            f"{name} ({count:,})" for name, count in zip(names, counts.tolist(), strict=True)
        )
        _say(
            f"{folder}: read as splits, not as classes: {sizes}; "
            f"{len(set(found.classes))} classes; to read one split alone, give its folder"
        )
    if loose:
        _say(f"{folder}: left out splits without class sub-folders: {_listed(loose)}")
    if found.empty:
        _say(f"{folder}: left out class folders without images: {_listed(found.empty)}")
    if found.hidden:
        _say(f"{folder}: left out hidden folders: {_listed(sorted(found.hidden))}")


def _say(text: str) -> None:
    warnings.warn(text, stacklevel=2)


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
