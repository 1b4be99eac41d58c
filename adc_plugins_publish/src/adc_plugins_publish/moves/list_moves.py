"""What a run would change in the folder that it was given, as a list for people and `adc apply`."""

import csv
import os
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from adc_core import ImageFiles, InputError
from adc_core.arrays import Array, hash_file
from adc_core.records import rows_of
from adc_core.reporting import flagged_by_any, most_suspicious_first
from adc_core.storage import atomic_file, translate_os_errors
from adc_plugins_publish.changes import flagged_by
from adc_plugins_publish.formats.file_names import folded, numbered
from adc_plugins_publish.moves.move_list import MOVE, REMOVE
from adc_plugins_publish.source import Source

COLUMNS = (
    "apply",
    "action",
    "path",
    "to",
    "given",
    "suggested",
    "rank",
    "flagged_by",
    "reason",
    "sha256",
    "folder",
)
"""Of a list of moves; a person edits `apply`, and where need be `action` and `to`."""


class _Change(NamedTuple):
    row: int
    new: int
    apply: bool
    reason: str


def list_moves(source: Source, file: Path) -> str:
    """Write a list of moves and removals, the most suspicious first; return what to tell.

    What curators changed is proposed with `apply` yes. What detectors flag beside that is listed
    with the label that one suggests, and `apply` no: a person decides.

    Args:
        source: a run on a folder whose sub-folders are the classes.
        file: the CSV to write.

    Raises:
        InputError: the source is no such run, or a file of its folder has gone.
        WorkError: the list cannot be written.
    """
    if file.suffix.lower() != ".csv":
        raise InputError(f"--to {file}: a list of moves is a .csv file")
    root, paths = _folder_of(source)
    changes = _curated(source)
    changes += _flagged(source, {change.row for change in changes})
    order = most_suspicious_first(source.findings.values()) if source.findings else None
    rank = np.arange(len(source.original)) if order is None else np.argsort(order)
    changes.sort(key=lambda change: int(rank[change.row]))
    lines = list(_lines(source, root, paths, changes, rank))
    with translate_os_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(file) as part, part.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(lines)
    agreed = [line[1] for line in lines if line[0] == "yes"]
    summary = f"{agreed.count(MOVE):,} moves, {agreed.count(REMOVE):,} removals: {file}"
    if undecided := len(lines) - len(agreed):
        return f"{summary}\n{undecided:,} more are flagged: write yes under `apply` where you agree"
    return summary


def _folder_of(source: Source) -> tuple[Path, list[str]]:
    """Return the folder, and the path of each sample of the original dataset below it.

    Raises:
        InputError: the labels are not those of sub-folders.
    """
    images, original = source.original.images, source.original
    if source.pipeline is None:
        raise InputError(
            f"{source.path} is no run: run `adc run` or `adc detect` on the folder, and give the "
            "run directory"
        )
    if source.collected or not isinstance(images, ImageFiles):
        raise InputError(
            f"moves are for a folder of one's own, and the dataset of {source.path} is none: "
            "choose another format"
        )
    paths: list[str] = images.paths.tolist()
    for path, label in zip(paths, original.labels.tolist(), strict=True):
        if original.classes[label] not in PurePosixPath(path).parts[:-1]:
            raise InputError(
                f"{path} has the label {original.classes[label]} but is not in a folder of "
                "that name: moves are for folders whose sub-folders are the classes"
            )
    return images.root.resolve(), paths


def _curated(source: Source) -> list[_Change]:
    """Return the samples that the curators together changed, with their reasons."""
    original, dataset = source.original, source.dataset
    rows = rows_of(dataset.ids, original.ids)
    new = np.where(rows >= 0, dataset.labels[rows], -1)
    reasons: dict[str, list[str]] = {}
    for name, curation in source.curations.items():
        summary = zip(
            curation.changes["id"].to_pylist(), curation.changes["reason"].to_pylist(), strict=True
        )
        for sample, reason in summary:
            reasons.setdefault(sample, []).append(f"{name}: {reason}")
    return [
        _Change(row, int(new[row]), True, "; ".join(reasons[str(original.ids[row])]))
        for row in np.flatnonzero(new != original.labels).tolist()
    ]


def _flagged(source: Source, decided: Collection[int]) -> list[_Change]:
    """Return the other flagged samples; of several suggestions the first counts."""
    if not source.findings:
        return []
    flagged = flagged_by_any(source.findings.values())
    new = np.full(len(flagged), -1)
    for found in source.findings.values():
        if found.suggested_labels is not None:
            use = (new < 0) & found.flagged & (found.suggested_labels != source.original.labels)
            new[use] = found.suggested_labels[use]
    return [
        _Change(row, int(new[row]), False, "flagged; a suggestion" if new[row] >= 0 else "flagged")
        for row in np.flatnonzero(flagged).tolist()
        if row not in decided
    ]


def _lines(
    source: Source, root: Path, paths: list[str], changes: list[_Change], rank: Array
) -> Iterator[tuple[str | int, ...]]:
    names, original = source.original.classes, source.original
    rows = np.array([change.row for change in changes], np.int64)
    flags = flagged_by(source.findings, original.ids[rows]).to_pylist()
    taken: set[str] = set()
    for change, detectors in zip(changes, flags, strict=True):
        path, given = paths[change.row], names[original.labels[change.row]]
        to, suggested = "", ""
        if change.new >= 0:
            suggested = names[change.new]
            to = _free(root, _in_class(path, given, suggested), taken)
        yield (
            "yes" if change.apply else "no",
            MOVE if to else REMOVE,
            path,
            to,
            given,
            suggested,
            int(rank[change.row]) + 1 if source.findings else "",
            detectors or "",
            change.reason,
            _hash(root / path),
            str(root),
        )


def _in_class(path: str, given: str, new: str) -> str:
    """Return the path in another class: of `train/cat/sub/1.png`, `train/dog/sub/1.png`."""
    parts = list(PurePosixPath(path).parts)
    parts[parts.index(given)] = new
    return "/".join(parts)


def _free(root: Path, wanted: str, taken: set[str]) -> str:
    """Return the path, or its first numbered form that neither a file nor another move has."""
    for number in count(1):
        path = wanted if number == 1 else numbered(wanted, number)
        if folded(path) not in taken and not os.path.lexists(root / path):
            taken.add(folded(path))
            return path
    raise AssertionError("there are numbers enough")


def _hash(path: Path) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): put it back, or run again"
        ) from None
