"""Samples whose labels are right, for methods that judge others by them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from adc_core import Dataset, InputError, read_dataset
from adc_core.records import rows_of


def read_trusted(path: Path, dataset: Dataset) -> Tensor | Dataset:
    """Read trusted samples: ids of the dataset's, a line each in a `.txt` file, or a dataset.

    Returns:
        Rows of the dataset, int64 and in their order; or another dataset of the same classes, with
        images.

    Raises:
        InputError: an id is unknown, classes differ, or there are no images.
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
    if (rows < 0).any():
        raise InputError(
            f'{path} names "{wanted[rows < 0][0]}", which is no id of the dataset: '
            "write ids of its samples"
        )
    return torch.from_numpy(np.unique(rows).astype(np.int64))
