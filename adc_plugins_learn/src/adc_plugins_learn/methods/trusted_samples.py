"""Samples whose labels are right, for methods that judge others by them."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from adc_core import Dataset, InputError, read_dataset
from adc_core.records import rows_of


def read_trusted(path: Path, dataset: Dataset) -> Tensor | Dataset:
    """Read trusted samples: ids of the dataset's, a line each in a `.txt` file, or a dataset.

    Of ids that the dataset lacks, for it may be a part of what they were written for, it warns.

    Returns:
        Rows of the dataset, int64 and in their order; or another dataset of the same classes, with
        images.

    Raises:
        InputError: no id is known, classes differ, or there are no images.
    """
    if path.suffix == ".txt":
        return _rows_in(path, dataset)
    others = read_dataset(path)
    if others.images is None:
        raise InputError(f"{path} has no images: give a dataset that has them")
    if others.classes != dataset.classes:
        raise InputError(
            f"{path} has the classes {', '.join(others.classes)}, "
            f"the dataset {', '.join(dataset.classes)}: give both the same"
        )
    return others


def _rows_in(path: Path, dataset: Dataset) -> Tensor:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): give a text file of ids") from error
    wanted = np.array([line.strip() for line in lines if line.strip()], dtype=object)
    if not len(wanted):
        raise InputError(f"{path} names no samples: write an id on each line")
    rows = rows_of(dataset.ids, wanted)
    missing = wanted[rows < 0]
    if len(missing) == len(wanted):
        raise InputError(
            f'{path} names "{missing[0]}", and no id of the samples to learn from: write some'
        )
    if len(missing):
        warnings.warn(
            f'of {len(wanted)} trusted samples {len(missing)} are not learned from, "{missing[0]}" '
            f"among them: held out, dropped, or no ids of the dataset ({path})",
            stacklevel=2,
        )
    return torch.from_numpy(np.unique(rows[rows >= 0]).astype(np.int64))
