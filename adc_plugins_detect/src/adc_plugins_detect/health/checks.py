"""The checks of single samples: which samples each finds, by what measure, against what."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Dataset
from adc_core.arrays import Array
from adc_core.images import GROUP
from adc_plugins_detect.health.image_issues import (
    ISSUES,
    ODD,
    ODD_ASPECT,
    ODD_SIZE,
    aspects,
    image_issues,
    limits,
    sides,
)
from adc_plugins_detect.health.outliers import Outliers
from adc_plugins_detect.image_measures.duplicates import (
    BITS,
    EXACT,
    RADIUS,
    Duplicates,
    conflicting,
)
from adc_plugins_detect.image_measures.measures import ImageMeasures


class SampleCheck(NamedTuple):
    """What one check says of N samples.

    Attributes:
        name: `near copy`, `dark`.
        flagged: N booleans.
        values: N numbers of what is compared, or None where there is no such number.
        measure: what is compared, in words.
        threshold: with what, in words and figures of this dataset.
        worst: row numbers of the flagged, those that people should see first in front.
    """

    name: str
    flagged: NDArray[np.bool_]
    values: Array | None
    measure: str
    threshold: str
    worst: NDArray[np.int64]


EXACT_COPY, NEAR_COPY, OTHER_LABEL, OUTLIER = (
    "exact copy",
    "near copy",
    "copy with another label",
    "outlier",
)

_COLUMN = {
    "dark": "lightest",
    "bright": "darkest",
    "low information": "contrast",
    "blurred": "sharpness",
    "noise": "smoothness",
    "grey": "colorfulness",
}
_LARGE_IS_BAD = {"bright"}


def measures_of(dataset: Dataset) -> ImageMeasures | None:
    """Take what `image-quality` has added, or None."""
    if not set(ImageMeasures._fields) <= dataset.columns.keys():
        return None
    columns: dict[str, Any] = {
        name: np.asarray(dataset.columns[name]) for name in ImageMeasures._fields
    }
    return ImageMeasures(**columns)


def duplicates_of(dataset: Dataset) -> Duplicates | None:
    """Take what `duplicates` has added, or None."""
    if RADIUS not in dataset.columns:
        return None
    group, exact, bits, radius = (_column(dataset, name) for name in (GROUP, EXACT, BITS, RADIUS))
    return Duplicates(group, exact, bits, int(radius[0]))


def _column(dataset: Dataset, name: str) -> Array:
    return np.asarray(dataset.columns[name])


def copy_checks(duplicates: Duplicates, labels: NDArray[np.int64]) -> Iterator[SampleCheck]:
    """Make the checks for exact copies, near copies, and copies with another label.

    The first of a group of copies is flagged too: which one is to go is for people to say.
    """
    sizes = np.bincount(duplicates.exact_group, minlength=len(labels))
    exact = sizes[duplicates.exact_group] > 1
    near = (duplicates.bits >= 0) & ~exact
    both = (duplicates.bits >= 0) & conflicting(duplicates.group, labels)
    threshold = f"at most {duplicates.radius} of 64, and small images that correlate above 0.95"
    by_group = np.lexsort((np.arange(len(labels)), duplicates.group))

    def worst(flagged: NDArray[np.bool_]) -> NDArray[np.int64]:
        return by_group[flagged[by_group]]

    yield SampleCheck(EXACT_COPY, exact, None, "bytes of the files", "equal", worst(exact))
    hashes = "bits in which perceptual hashes differ"
    yield SampleCheck(NEAR_COPY, near, duplicates.bits, hashes, threshold, worst(near))
    labeled = "labels of exact and near copies"
    yield SampleCheck(OTHER_LABEL, both, duplicates.bits, labeled, "differ", worst(both))


def outlier_check(outliers: Outliers) -> SampleCheck:
    """Make the check for samples far from all others."""
    order = np.argsort(-outliers.distance, kind="stable")
    return SampleCheck(
        OUTLIER,
        outliers.flagged,
        outliers.distance,
        f"mean cosine distance to the {outliers.k} nearest neighbors in feature space",
        f"above {outliers.limit:.3g}: {ODD} robust deviations above the median of all samples, "
        f"{outliers.median:.3g}",
        order[outliers.flagged[order]],
    )


def image_checks(measures: ImageMeasures) -> Iterator[SampleCheck]:
    """Make the checks dark, bright, … , in the order of `ISSUES`."""
    flags = image_issues(measures)
    own = {ODD_SIZE: sides(measures), ODD_ASPECT: aspects(measures)}
    for issue in ISSUES:
        values = own[issue] if issue in own else getattr(measures, _COLUMN[issue.name])
        threshold = issue.threshold
        keys = -values if issue.name in _LARGE_IS_BAD else values
        if issue in own:
            low, high = limits(values)
            threshold = (
                f"outside {low:.3g} … {high:.3g}: {ODD} robust deviations, and a factor of 2 at "
                f"least, from the median {np.median(values):.3g}"
            )
            keys = -np.abs(np.log(values / np.median(values)))
        order = np.argsort(keys, kind="stable")
        flagged = flags[issue.name]
        yield SampleCheck(
            issue.name, flagged, values, issue.measure, threshold, order[flagged[order]]
        )
