"""Threshold samples: samples labelled with an extra class, whose labels are surely wrong."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset, Findings, InputError
from adc_core.arrays import Array

Mask = NDArray[np.bool_]


def draw_threshold_samples(rows: int, n_classes: int, seed: int = 0) -> tuple[Mask, Mask]:
    """Draw threshold samples of two trainings, so that one at least judges each sample.

    As many as a class has on average become threshold samples. Both sets are slices of one
    permutation, and therefore disjoint.

    Args:
        rows: N.
        n_classes: K.
        seed: of the permutation.

    Returns:
        Two masks of N booleans, with the whole part of N / K true in each.

    Raises:
        InputError: fewer samples than classes, or one class only.
    """
    count = rows // n_classes
    if not count or n_classes < 2:
        raise InputError(
            f"{rows} samples of {n_classes} classes: threshold samples need two classes or more, "
            "and a sample for each"
        )
    order = np.random.default_rng(seed).permutation(rows)
    first, second = (np.isin(np.arange(rows), order[a : a + count]) for a in (0, count))
    return first, second


def with_extra_class(dataset: Dataset, threshold_samples: Mask) -> Dataset:
    """Return the dataset with its threshold samples in a class of their own, the last."""
    name = "threshold samples"
    while name in dataset.classes:
        name += "'"
    return dataset.replace(
        labels=np.where(threshold_samples, len(dataset.classes), dataset.labels),
        classes=(*dataset.classes, name),
        probabilities=None,
        dynamics=None,
    )


def below_threshold(areas: NDArray[np.float64], threshold_areas: Array) -> Mask:
    """Mark areas that are smaller than more than one in a hundred of those of threshold samples."""
    m = len(threshold_areas)
    larger = m - np.searchsorted(np.sort(threshold_areas), areas, side="right")
    below: Mask = 100 * larger > m
    return below


def combine_runs(runs: Sequence[Findings]) -> Findings:
    """Combine trainings on the same samples to one verdict: flagged if every one flags it.

    A training counts for the samples that it covered. Suspicion is the mean of those that count.

    Args:
        runs: findings of each training, in the same order of samples.

    Returns:
        Findings; noise rate is the share of flagged among covered samples.
    """
    covers = np.stack([findings.covered for findings in runs])
    flags = np.stack([findings.flagged for findings in runs])
    counted = covers.sum(axis=0)
    covered = counted > 0
    total = np.where(covers, [findings.suspicion for findings in runs], 0).sum(axis=0)
    flagged = covered & (flags.sum(axis=0) == counted)
    return Findings(
        ids=runs[0].ids,
        suspicion=np.divide(total, counted, out=np.full(len(total), np.nan), where=covered),
        flagged=flagged,
        covered=covered,
        noise_rate=float(flagged[covered].mean()) if covered.any() else None,
    )
