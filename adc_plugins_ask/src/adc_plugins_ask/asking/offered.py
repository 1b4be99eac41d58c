"""The classes among which a model chooses: all, or where these are many, the likeliest."""

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, InputError

_MOST = 20
"""More options than that are too many for a list of letters, and for a model's attention."""

_LIKELY = 9


def offered_classes(dataset: Dataset) -> NDArray[np.int64]:
    """Return which classes each sample's choice offers.

    All of them where there are 20 at most; else the given label and the nine others that are most
    probable by `probabilities`, or most similar by the column `class_similarity`.

    Returns:
        N × m class numbers, ascending.

    Raises:
        InputError: there are more than 20, and nothing says which are likely.
    """
    rows, classes = len(dataset), len(dataset.classes)
    if classes <= _MOST:
        return np.broadcast_to(np.arange(classes), (rows, classes))
    if dataset.probabilities is not None:
        likely = np.array(dataset.probabilities.values, np.float64)
    elif (similarity := dataset.columns.get("class_similarity")) is not None:
        likely = np.array(similarity, np.float64)
    else:
        raise InputError(
            f"{classes} classes are too many to offer: add probabilities, or class_similarity by "
            "the enricher image-text, which say the likely ones"
        )
    likely[np.arange(rows), dataset.labels] = np.inf
    return np.sort(np.argsort(-likely, axis=1, kind="stable")[:, : _LIKELY + 1], axis=1)
