"""How much accuracy varies within a class, between the values of an attribute."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from adc_core import InputError, Measurement, Metric, Run


class Subgroups(NamedTuple):
    """Accuracy of each class's samples with each value of an attribute.

    Attributes:
        values: G distinct values, sorted.
        counts: K × G samples.
        accuracy: K × G, NaN where there are too few.
        spread: K, the standard deviation of a class's accuracies, weighted by their samples; NaN
            of a class with fewer than two of them.
    """

    values: tuple[str, ...]
    counts: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    spread: NDArray[np.float64]

    @property
    def macro(self) -> float | None:
        """The mean spread over classes, MacroStd; None where no class has one."""
        known = self.spread[~np.isnan(self.spread)]
        return float(known.mean()) if len(known) else None


def subgroup_spread(
    labels: ArrayLike,
    groups: ArrayLike,
    right: ArrayLike,
    n_classes: int,
    *,
    min_count: int = 10,
    unbiased: bool = False,
) -> Subgroups:
    """Compare the subgroups of each class (MacroStd, arXiv 2212.08649).

    Args:
        labels: N true classes.
        groups: N texts: the value of an attribute.
        right: N booleans: the prediction is right.
        n_classes: K.
        min_count: subgroups of fewer samples have no figure and count nowhere.
        unbiased: multiply each variance by G/(G − 1), G being the class's subgroups.

    Raises:
        InputError: arrays of different lengths.
    """
    given, hit = np.asarray(labels, np.int64), np.asarray(right, np.bool_)
    values, place = np.unique(np.asarray(groups).astype(np.str_), return_inverse=True)
    if not len(given) == len(hit) == len(place):
        raise InputError(
            f"{len(given)} labels, {len(place)} groups and {len(hit)} right: give one of each"
        )
    shape = (n_classes, len(values))
    cell = given * len(values) + place
    counts = np.bincount(cell, minlength=n_classes * len(values)).reshape(shape)
    hits = np.bincount(cell[hit], minlength=n_classes * len(values)).reshape(shape)
    enough = counts >= max(1, min_count)
    accuracy = np.where(enough, hits / np.maximum(counts, 1), np.nan)
    weights, there = counts * enough, enough.sum(axis=1)
    total = np.maximum(weights.sum(axis=1), 1)
    mean = (hits * enough).sum(axis=1) / total
    variance = (weights * np.nan_to_num(accuracy - mean[:, None]) ** 2).sum(axis=1) / total
    if unbiased:
        variance = variance * there / np.maximum(there - 1, 1)
    spread = np.where(there >= 2, np.sqrt(variance), np.nan)
    return Subgroups(tuple(map(str, values)), counts, accuracy, spread)


class SubgroupSpread(Metric):
    """Measures how much accuracy varies within classes, between the values of each attribute.

    The spread is the mean over classes of the standard deviation of their subgroups' accuracies,
    weighted by samples (MacroStd). It may be small while one subgroup is lost, so the worst one
    and the gap between the best and the worst stand beside it. Subgroups of fewer samples than
    `min_count` have no figure.

    Traps: an attribute is what a query asked for, not what an image shows: it is as noisy as a
    label.
    """

    requires = ("test",)

    min_count: int = Field(default=10, ge=1, description="no figure of fewer samples")
    unbiased: bool = Field(
        default=False, description="multiply variances by G/(G − 1), of G subgroups"
    )

    def measure(self, run: Run) -> tuple[Measurement, ...]:
        """Measure every training by every attribute of the test set; subgroups are details."""
        test = run.test
        if test is None:
            return ()
        found: list[Measurement] = []
        for training in run.trainings:
            if training.predictions is None:
                continue
            right = training.predictions.labels == test.labels
            for name, groups in test.attributes.items():
                parts = subgroup_spread(
                    test.labels,
                    groups,
                    right,
                    len(test.classes),
                    min_count=self.min_count,
                    unbiased=self.unbiased,
                )
                found += _measured(training.subject, name, parts, test.classes)
        return tuple(found)


def _measured(
    subject: str, attribute: str, parts: Subgroups, classes: tuple[str, ...]
) -> list[Measurement]:
    known = parts.accuracy[~np.isnan(parts.accuracy)]
    worst, best = (float(known.min()), float(known.max())) if len(known) else (None, None)
    gap = None if best is None or worst is None else best - worst
    found = [
        Measurement(
            metric=f"spread over {attribute}", subject=subject, value=parts.macro, better="lower"
        ),
        Measurement(
            metric=f"worst subgroup by {attribute}", subject=subject, value=worst, better="higher"
        ),
        Measurement(
            metric=f"gap of subgroups by {attribute}", subject=subject, value=gap, better="lower"
        ),
    ]
    for k, value in np.argwhere(~np.isnan(parts.accuracy)).tolist():
        found.append(
            Measurement(
                metric=f"accuracy of {classes[k]}, {attribute} {parts.values[value]} "
                f"({parts.counts[k, value]:,} samples)",
                subject=subject,
                value=float(parts.accuracy[k, value]),
                better="higher",
                detail=True,
            )
        )
    return found
