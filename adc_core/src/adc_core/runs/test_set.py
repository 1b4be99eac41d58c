"""The test set of a pipeline: labelled like the dataset, and apart from it."""

import warnings

import numpy as np

from adc_core.arrays.validation import Array
from adc_core.errors import InputError
from adc_core.records.dataset import LABEL_SETS, UNCLEAR_SETS, Dataset, rows_of
from adc_core.runs.image_check import name_of

_SHOWN = 3


def with_classes_of(test: Dataset, dataset: Dataset) -> Dataset:
    """Give the test set the class numbers of the dataset, and its label sets the same columns.

    A class that only the dataset has was judged nowhere, and is unclear nowhere.

    Raises:
        InputError: it has a class that the dataset does not have, or label sets of other classes.
    """
    if missing := [name for name in test.classes if name not in dataset.classes]:
        raise InputError(
            f"the test set has the class {missing[0]!r}, which the dataset does not have: "
            f"{', '.join(dataset.classes)}"
        )
    places = np.array([dataset.classes.index(name) for name in test.classes])
    sets = {
        name: _columns_at(test.columns[name], places, len(dataset.classes), absent, name)
        for name, absent in ((LABEL_SETS, -1), (UNCLEAR_SETS, 0))
        if name in test.columns
    }
    return test.replace(
        labels=places[test.labels],
        classes=dataset.classes,
        probabilities=None,
        columns={**test.columns, **sets},
    )


def _columns_at(values: Array, places: Array, n_classes: int, absent: int, name: str) -> Array:
    """Put the columns of a test set's classes where the dataset has these classes."""
    if values.ndim != 2 or values.shape[1] != len(places):
        raise InputError(
            f"the test set's {name} are {values.shape}, expected a column for each of its "
            f"{len(places)} classes"
        )
    moved: Array = np.full((len(values), n_classes), absent, values.dtype)
    moved[:, places] = values
    return moved


def warn_of_leaks(test: Dataset, dataset: Dataset) -> None:
    """Warn where images of the test set are images of the dataset, byte for byte.

    A model has seen them with their labels, so that its accuracy on them measures memory.
    """
    if test.images is None or dataset.images is None:
        return
    found = rows_of(np.asarray(dataset.images.sums), np.asarray(test.images.sums))
    if not (rows := np.flatnonzero(found >= 0)).size:
        return
    pairs = ", ".join(
        f"{name_of(test, row)} = {name_of(dataset, found[row])}" for row in rows[:_SHOWN].tolist()
    )
    warnings.warn(
        f"{len(rows):,} of {len(test):,} images of the test set are in the dataset too, byte for "
        f"byte ({pairs}{', …' if len(rows) > _SHOWN else ''}): remove them from one of the two, "
        "or accuracies are too high",
        stacklevel=2,
    )
