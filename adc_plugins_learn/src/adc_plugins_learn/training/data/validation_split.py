"""Samples held out of a training, to judge its epochs by labels that may be wrong themselves."""

import numpy as np

from adc_core import Dataset, InputError


def validation_split(dataset: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split into samples to train on and samples to judge by: the same fraction of each label.

    Labels that are wrong at random lower all accuracies alike, so that the best epoch by them is
    about the best by true ones (Chen et al., 2021).

    Args:
        dataset: all samples.
        fraction: to hold out, of each label; a label keeps at least one sample to train on. None
            is held out whose label was set aside.
        seed: of the choice.

    Raises:
        InputError: so few samples that none would be held out.
    """
    order = np.random.default_rng(seed).permutation(len(dataset))
    order = order[dataset.labeled[order]]
    labels = dataset.labels[order]
    held = np.zeros(len(dataset), np.bool_)
    for label in np.unique(labels):
        rows = order[labels == label]
        held[rows[: min(round(fraction * len(rows)), len(rows) - 1)]] = True
    if not held.any():
        raise InputError(
            f"validation_fraction {fraction} holds out none of {len(dataset)} samples: raise it, "
            "or leave it out"
        )
    return dataset.take(np.flatnonzero(~held)), dataset.take(np.flatnonzero(held))
