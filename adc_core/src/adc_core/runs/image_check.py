"""Images that cannot be used: found before anything is made of them, and left out together."""

import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from adc_core.components.context import progress
from adc_core.errors import InputError, InputErrors
from adc_core.images.decoding import ImageError
from adc_core.images.sequence import ImageFiles, Images
from adc_core.records.dataset import Dataset
from adc_core.runs.stage_formats import Form

BROKEN = "broken.csv"
"""The list of a dataset's images that cannot be used, in the stage of its check."""

_SHOWN = 3
_STEP = 256


class Broken(NamedTuple):
    """An image that cannot be used.

    Attributes:
        row: in the dataset.
        reason: missing, empty, unreadable, not an image, damaged, too large.
        detail: what the decoder said, or nothing.
    """

    row: int
    reason: str
    detail: str = ""


def absent_images(images: Images | None) -> list[Broken]:
    """Find files that are missing, empty or not to be read; nothing is opened, so it is quick."""
    if not isinstance(images, ImageFiles):
        return []
    found = []
    for row in range(len(images)):
        path = images.path(row)
        try:
            facts = path.stat()
        except OSError as error:
            gone = isinstance(error, FileNotFoundError | NotADirectoryError)
            found.append(Broken(row, "missing" if gone else "unreadable"))
            continue
        if not S_ISREG(facts.st_mode) or not os.access(path, os.R_OK):
            found.append(Broken(row, "unreadable"))
        elif not facts.st_size:
            found.append(Broken(row, "empty"))
    return found


def damaged_images(images: Images) -> list[Broken]:
    """Find images that cannot be decoded, by `Images.check` on several threads."""

    def check(row: int) -> Broken | None:
        try:
            images.check(row)
        except ImageError as error:
            return Broken(row, error.reason, error.detail)
        return None

    found: list[Broken] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for start in range(0, len(images), _STEP):
            stop = min(len(images), start + _STEP)
            found += filter(None, threads.map(check, range(start, stop)))
            progress(stop, len(images), "image")
    return found


def broken_images(dataset: Dataset, absent: Sequence[Broken] | None = None) -> list[Broken]:
    """Find all images of a dataset that cannot be used, in its order.

    Args:
        dataset: with or without images.
        absent: what `absent_images` has found already.
    """
    if dataset.images is None:
        return []
    absent = absent_images(dataset.images) if absent is None else absent
    there = np.delete(np.arange(len(dataset)), [one.row for one in absent])
    damaged = damaged_images(dataset.images.take(there))
    return sorted([*absent, *(one._replace(row=int(there[one.row])) for one in damaged)])


def leave_out(dataset: Dataset, broken: Sequence[Broken], *, strict: bool, listed: str) -> Dataset:
    """Keep the samples whose images can be used; count the others in a warning.

    Args:
        dataset: with images.
        broken: those that cannot be used.
        strict: refuse instead.
        listed: where all of them are listed.

    Raises:
        InputError: no image can be used.
        InputErrors: strict, and one cannot; one line for each.
    """
    if not broken:
        return dataset
    named = [(name_of(dataset, one.row), one) for one in broken]
    if strict:
        raise InputErrors(f"{name}: {said(one)}: replace or remove it" for name, one in named)
    first = ", ".join(f"{name} ({one.reason})" for name, one in named[:_SHOWN])
    more = f" and {len(named) - _SHOWN:,} more" if len(named) > _SHOWN else ""
    if len(broken) == len(dataset):
        raise InputError(f"none of {len(dataset):,} images can be used: {first}{more}")
    warnings.warn(
        f"left out {len(broken):,} of {len(dataset):,} images, which cannot be used: "
        f"{first}{more}; {listed}",
        stacklevel=2,
    )
    return without(dataset, broken)


def without(dataset: Dataset, broken: Sequence[Broken]) -> Dataset:
    """Give the other samples of a dataset."""
    rows = np.delete(np.arange(len(dataset)), [one.row for one in broken])
    return dataset.take(rows)


def name_of(dataset: Dataset, row: int) -> str:
    """Name an image so that its file is found: by its path, or by its sample's id."""
    images = dataset.images
    return str(images.paths[row] if isinstance(images, ImageFiles) else dataset.ids[row])


def said(broken: Broken) -> str:
    """Say the reason, with what the decoder said."""
    return broken.reason + (f" ({broken.detail})" if broken.detail else "")


def broken_table(dataset: Dataset, broken: Sequence[Broken]) -> pa.Table:
    """List images that cannot be used: columns row, id, image, reason, detail."""
    return pa.table(
        {
            "row": pa.array([one.row for one in broken], pa.int64()),
            "id": pa.array([str(dataset.ids[one.row]) for one in broken], pa.string()),
            "image": pa.array([name_of(dataset, one.row) for one in broken], pa.string()),
            "reason": pa.array([one.reason for one in broken], pa.string()),
            "detail": pa.array([one.detail for one in broken], pa.string()),
        }
    )


def _write(table: pa.Table, folder: Path) -> dict[str, str]:
    pyarrow.csv.write_csv(table, folder / BROKEN)
    return {}


def _read(folder: Path, _: Mapping[str, str]) -> list[Broken]:
    table = pyarrow.csv.read_csv(
        folder / BROKEN,
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={"row": pa.int64(), "reason": pa.string(), "detail": pa.string()},
            include_columns=["row", "reason", "detail"],
        ),
    )
    return [Broken(one["row"], one["reason"], one["detail"]) for one in table.to_pylist()]


BROKEN_IMAGES: Form[pa.Table, list[Broken]] = Form(_write, _read)
"""How a check of images is kept."""
