"""Everything that is known of a dataset's health, made from its columns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset
from adc_core.arrays import Array
from adc_core.runs import Broken
from adc_core.storage import SPLIT
from adc_plugins_detect.health.checks import (
    EXACT_COPY,
    NEAR_COPY,
    OTHER_LABEL,
    OUTLIER,
    SampleCheck,
    copy_checks,
    duplicates_of,
    image_checks,
    measures_of,
    outlier_check,
)
from adc_plugins_detect.health.class_health import (
    Confusion,
    Overlap,
    Share,
    agreement,
    find_confusions,
    find_overlaps,
    share,
)
from adc_plugins_detect.health.order import OrderTest, label_order, sample_order
from adc_plugins_detect.health.outliers import Outliers, find_outliers
from adc_plugins_detect.image_measures.duplicates import Duplicates, Leak, find_leaks

MOST_PAIRS = 50
"""Confusions and overlaps that are kept; with a thousand classes there are half a million."""


class EvidenceQuality(NamedTuple):
    """How far features and probabilities can be trusted.

    Attributes:
        features: what made the features, in words; empty where there are none.
        predicted: share of the samples whose most probable class, by models that had not seen
            the label, is the given one; None without probabilities.
        in_sample: the models had seen the labels.
        largest: share of the largest class: what guessing it always would reach.
        neighbors_agree: mean share of a sample's neighbors with its label; None without neighbors.
        by_chance: what that share would be if neighbors were drawn at random.
    """

    features: str
    predicted: Share | None
    in_sample: bool
    largest: float
    neighbors_agree: float | None
    by_chance: float


class ClassHealth(NamedTuple):
    """One class.

    Attributes:
        name: of the class.
        samples: that can be used.
        broken: images that cannot.
        splits: samples in each split.
        copies: samples that have an exact or near copy.
        other_label: of these, with another label.
        outliers: samples far from all others.
        image_issues: samples with any issue of their image.
        predicted: share of samples predicted as labelled, or None.
        neighbors_agree: mean share of neighbors with the label, or None.
        taken_for: the class that it is confused with most, or nothing.
    """

    name: str
    samples: int
    broken: int
    splits: dict[str, int]
    copies: int
    other_label: int
    outliers: int
    image_issues: int
    predicted: Share | None
    neighbors_agree: float | None
    taken_for: str


class Health(NamedTuple):
    """The health of a dataset.

    Attributes:
        given: the dataset as it was read, with broken images.
        dataset: N samples that can be used, with the columns that were added.
        broken: images of `given` that cannot be used.
        checks: of single samples.
        duplicates: copies, or None without images.
        leaks: copies between splits.
        outliers: or None without neighbors.
        evidence: how far features and probabilities can be trusted.
        classes: one for each class.
        confusions: pairs of label and prediction, most frequent first.
        overlaps: pairs of classes among each other's neighbors, largest share first.
        orders: tests of the dataset's order.
    """

    given: Dataset
    dataset: Dataset
    broken: Sequence[Broken]
    checks: tuple[SampleCheck, ...]
    duplicates: Duplicates | None
    leaks: list[Leak]
    outliers: Outliers | None
    evidence: EvidenceQuality
    classes: tuple[ClassHealth, ...]
    confusions: list[Confusion]
    overlaps: list[Overlap]
    orders: tuple[OrderTest, ...]

    @property
    def sound(self) -> int:
        """How many samples no check has found anything about."""
        found = [check.flagged for check in self.checks]
        return int((~np.any(found, axis=0)).sum()) if found else len(self.dataset)


def assess(
    given: Dataset,
    dataset: Dataset,
    broken: Sequence[Broken],
    *,
    features: str = "",
    labels_in_order: bool = True,
) -> Health:
    """Assess a dataset by the columns that it has; what would need others is left out.

    Args:
        given: the dataset as it was read.
        dataset: the samples of it that can be used, with further columns.
        broken: rows of `given` whose images cannot be used.
        features: what made the features, in words.
        labels_in_order: the order is its maker's, not that in which folders were read.
    """
    labels, K = dataset.labels, len(dataset.classes)
    duplicates, measures = duplicates_of(dataset), measures_of(dataset)
    outliers = None if dataset.neighbors is None else find_outliers(dataset.neighbors)
    checks: list[SampleCheck] = []
    if duplicates is not None:
        checks += copy_checks(duplicates, labels)
    if outliers is not None:
        checks.append(outlier_check(outliers))
    if measures is not None:
        checks += image_checks(measures)
    splits = dataset.columns.get(SPLIT)
    confusions: list[Confusion] = []
    if dataset.probabilities is not None:
        predicted = dataset.probabilities.values.argmax(axis=1)
        confusions = find_confusions(labels, predicted, K)
    overlaps = [] if dataset.neighbors is None else find_overlaps(labels, dataset.neighbors, K)
    return Health(
        given=given,
        dataset=dataset,
        broken=broken,
        checks=tuple(checks),
        duplicates=duplicates,
        leaks=[] if duplicates is None or splits is None else find_leaks(duplicates, splits),
        outliers=outliers,
        evidence=_evidence(dataset, features),
        classes=_classes(given, dataset, broken, checks, confusions),
        confusions=confusions[:MOST_PAIRS],
        overlaps=overlaps[:MOST_PAIRS],
        orders=tuple(_orders(dataset, splits, labels_in_order)),
    )


def _evidence(dataset: Dataset, features: str) -> EvidenceQuality:
    labels, probabilities = dataset.labels, dataset.probabilities
    shares = dataset.class_counts / len(dataset)
    right = None
    if probabilities is not None:
        hits = int((probabilities.values.argmax(axis=1) == labels).sum())
        right = share(hits, len(dataset))
    near = dataset.neighbors
    return EvidenceQuality(
        features=features if dataset.features is not None else "",
        predicted=right,
        in_sample=probabilities is not None and probabilities.origin == "in sample",
        largest=float(shares.max()),
        neighbors_agree=None if near is None else float(agreement(labels, near).mean()),
        by_chance=float((shares**2).sum()),
    )


def _classes(
    given: Dataset,
    dataset: Dataset,
    broken: Sequence[Broken],
    checks: Sequence[SampleCheck],
    confusions: Sequence[Confusion],
) -> tuple[ClassHealth, ...]:
    labels, K = dataset.labels, len(dataset.classes)

    def count(*names: str) -> NDArray[np.int64]:
        found = [check.flagged for check in checks if check.name in names]
        any_of = np.any(found, axis=0) if found else np.zeros(len(labels), np.bool_)
        return np.bincount(labels[any_of], minlength=K)

    apart = (EXACT_COPY, NEAR_COPY, OTHER_LABEL, OUTLIER)
    copies, other_label = count(EXACT_COPY, NEAR_COPY), count(OTHER_LABEL)
    outliers = count(OUTLIER)
    issues = count(*(check.name for check in checks if check.name not in apart))
    lost = np.bincount(given.labels[[one.row for one in broken]], minlength=K)
    splits = dataset.columns.get(SPLIT)
    by_split = {
        name: np.bincount(labels[splits == name], minlength=K)
        for name in ([] if splits is None else np.unique(splits).tolist())
    }
    right = None
    if dataset.probabilities is not None:
        hits = dataset.probabilities.values.argmax(axis=1) == labels
        right = np.bincount(labels[hits], minlength=K)
    near = None
    if dataset.neighbors is not None:
        shares = agreement(labels, dataset.neighbors)
        near = np.bincount(labels, shares, minlength=K) / np.maximum(1, dataset.class_counts)
    taken_for: dict[int, str] = {}
    for pair in confusions:
        taken_for.setdefault(pair.label, dataset.classes[pair.predicted])
    sizes = dataset.class_counts.tolist()
    return tuple(
        ClassHealth(
            name=name,
            samples=sizes[k],
            broken=int(lost[k]),
            splits={split: int(counts[k]) for split, counts in by_split.items()},
            copies=int(copies[k]),
            other_label=int(other_label[k]),
            outliers=int(outliers[k]),
            image_issues=int(issues[k]),
            predicted=None if right is None else share(int(right[k]), sizes[k]),
            neighbors_agree=None if near is None or not sizes[k] else float(near[k]),
            taken_for=taken_for.get(k, ""),
        )
        for k, name in enumerate(dataset.classes)
    )


def _orders(dataset: Dataset, splits: Array | None, labels_in_order: bool) -> list[OrderTest]:
    found = [label_order(dataset.labels)] if labels_in_order else []
    if dataset.neighbors is not None:
        groups = dataset.labels.astype(np.str_)
        if splits is not None:
            groups = np.char.add(np.char.add(groups, "/"), splits)
        test = sample_order(dataset.neighbors, groups)
        found += [] if test is None else [test]
    return found
