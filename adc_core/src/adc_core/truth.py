"""Trusted labels: of a collected dataset, matched by id or by URL, and of a test set."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adc_core.arrays import Array
from adc_core.dataset import Dataset
from adc_core.dataset_reader import labels_of, read_table
from adc_core.errors import InputError


def truth_table(path: Path) -> pa.Table:
    """Read a table of true labels.

    Raises:
        InputError: it lacks `label`, or has neither `id` nor `url`.
    """
    table = read_table(path)
    names = table.column_names
    if "label" not in names or not {"id", "url"} & set(names):
        raise InputError(
            f"{path}: the truth needs the columns label, and id or url; it has {', '.join(names)}"
        )
    return table


def read_truth(table: pa.Table, dataset: Dataset) -> Array:
    """N int64 true labels of a dataset, -1 where the table does not know a sample.

    Raises:
        InputError: no sample is known, or a label is not one of the dataset's classes.
    """
    if "id" in table.column_names:
        keys = pa.array(dataset.ids, pa.string())
        known = table["id"].cast(pa.string())
    elif dataset.sources is not None and "url" in dataset.sources.column_names:
        keys, known = dataset.sources["url"], table["url"]
    else:
        raise InputError("the truth is by url but the dataset has no url for its samples: use id")
    rows = pc.index_in(keys, value_set=known.combine_chunks())
    rows = np.asarray(rows.fill_null(-1), dtype=np.int64)
    used = np.flatnonzero(rows >= 0)
    if not len(used):
        raise InputError("the truth knows none of the dataset's samples: check its ids or urls")
    labels, _ = labels_of(table["label"].take(pa.array(rows[used])), dataset.classes, "truth")
    truth = np.full(len(dataset), -1, np.int64)
    truth[used] = labels
    return truth


def with_classes_of(test: Dataset, dataset: Dataset) -> Dataset:
    """The test set with the class numbers of the dataset.

    Raises:
        InputError: it has a class that the dataset has not.
    """
    if missing := [name for name in test.classes if name not in dataset.classes]:
        raise InputError(
            f"the test set has the class {missing[0]!r}, which the dataset has not: "
            f"{', '.join(dataset.classes)}"
        )
    places = np.array([dataset.classes.index(name) for name in test.classes])
    return test.replace(labels=places[test.labels], classes=dataset.classes, probabilities=None)
