"""Samples held out of a training, to judge its epochs by labels that may be wrong themselves."""

import numpy as np

from adc_core.errors import InputError
from adc_core.records.dataset import Dataset


def hold_out(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """The samples to train on, and those to judge by: of every given label the same share.

    Labels that are wrong at random lower all accuracies alike, so that the best epoch by them is
    about the best by true ones (Chen et al., 2021).

    Args:
        dataset: all samples.
        share: to hold out, of each label; a label keeps one sample at least to train on.
        seed: of the choice.

    Raises:
        InputError: so few samples that none would be held out.
    """
    order = np.random.default_rng(seed).permutation(len(dataset))
    labels = dataset.labels[order]
    held = np.zeros(len(dataset), np.bool_)
    for label in np.unique(labels):
        rows = order[labels == label]
        held[rows[: min(round(share * len(rows)), len(rows) - 1)]] = True
    if not held.any():
        raise InputError(
            f"validation_share {share} of {len(dataset)} samples is none: raise it, or leave it out"
        )
    return dataset.take(np.flatnonzero(~held)), dataset.take(np.flatnonzero(held))
