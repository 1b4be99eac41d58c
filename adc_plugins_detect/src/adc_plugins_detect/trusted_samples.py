"""Labels that are known to be right, read from a file of the user."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, InputError
from adc_core.storage import UNKNOWN, read_truth, truth_table


def trusted_labels(path: Path, dataset: Dataset) -> NDArray[np.int64]:
    """Read N labels that are known to be right, and -1 elsewhere.

    Raises:
        InputError: the file cannot be read, or names no sample of the dataset.
    """
    if path.suffix != ".txt":
        true = read_truth(truth_table(path), dataset)
        return np.where(true < 0, UNKNOWN, true)
    try:
        wanted = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): give a text file of ids") from error
    named = np.isin(dataset.ids.astype(str), [line.strip() for line in wanted if line.strip()])
    if not named.any():
        raise InputError(f"{path} names no sample of the dataset: write an id on each line")
    return np.where(named, dataset.labels, UNKNOWN)
