"""Splits of a dataset: training, validation and test sets side by side."""

from collections.abc import Iterable, Sequence

import numpy as np

from adc_core.arrays.validation import Array

SPLIT = "split"
"""The column of a dataset that holds each sample's split, by the name that its maker gave it.

A column, not an attribute: attributes are what a design asked for, columns are what a component may
read by name and what is saved and exported with the samples.
"""

SPLIT_NAMES = frozenset(
    {"train", "training"}
    | {"val", "valid", "validation", "dev"}
    | {"test", "testing", "eval", "evaluation"}
)
"""What splits are called, in small letters."""


def are_splits(names: Iterable[str]) -> bool:
    """Tell whether there are names, and all are names of splits."""
    found = [name.lower() in SPLIT_NAMES for name in names]
    return bool(found) and all(found)


def splits_of_shards(stems: Sequence[str]) -> Array | None:
    """Return the split of each shard by its name: `train-00000`, `val_3`, `test`.

    Returns:
        One text per shard, or None unless every shard is named so.
    """
    names = [stem.rstrip("0123456789").rstrip("-_.") for stem in stems]
    return np.asarray(names, dtype=np.str_) if are_splits(names) else None
