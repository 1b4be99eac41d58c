"""Which images are too dark, blurred, small, … : thresholds, each with its reason."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_plugins_detect.image_measures.measures import ImageMeasures

ODD = 3.5
"""Robust standard deviations from the median, beyond which a size is odd (Iglewicz & Hoaglin, "How
to detect and handle outliers" 1993)."""

FACTOR = 2.0
"""By which a size must differ from the median to be odd: where nearly all images have one size,
any other one would be many deviations away."""

GRAY_SHARE = 0.5
"""Grey images are reported only where fewer than this share are grey."""


class Issue(NamedTuple):
    """One thing that can be wrong with an image.

    Attributes:
        name: in tables.
        measure: what is compared, in words.
        threshold: with what, in words.
    """

    name: str
    measure: str
    threshold: str


DARK = Issue("dark", "the tone that 1 % of the pixels exceed, 0 black … 1 white", "below 0.25")
BRIGHT = Issue("bright", "the tone that 95 % of the pixels exceed", "above 0.9")
LOW_INFORMATION = Issue(
    "low information", "range of the tones of 98 % of the pixels", "below 0.1: one tone"
)
BLURRED = Issue(
    "blurred", "strongest edges, relative to that range, seen at 128 pixels", "below 0.2"
)
NOISE = Issue("noise", "correlation of adjacent pixels", "below 0.3")
GRAY = Issue("grey", "difference of the color channels", "below 0.03, where most are colored")
ODD_SIZE = Issue("odd size", "square root of width × height", "")
ODD_ASPECT = Issue("odd aspect", "longer side divided by shorter side", "")

ISSUES = (DARK, BRIGHT, LOW_INFORMATION, BLURRED, NOISE, GRAY, ODD_SIZE, ODD_ASPECT)
"""All of them, in the order of tables."""


def image_issues(measures: ImageMeasures) -> Mapping[str, NDArray[np.bool_]]:
    """Find which images have which issue.

    The first six thresholds are fixed, so that a dataset of nothing but black images is reported.
    They were set where real images end: of 60,000 CIFAR-10 and 10,000 MNIST images, see
    `benchmarks/health.py`, each but `grey` flags fewer than one in ten thousand; of their copies
    that are black, white, plain or noise all are flagged, of those blurred by a Gaussian of 2
    pixels nine in ten and more. An image of one tone is not called blurred as well.

    Args:
        measures: of N images.

    Returns:
        Name of the issue to N booleans.
    """
    plain = measures.contrast < 0.1
    gray = measures.colorfulness < 0.03
    found = {
        DARK: measures.lightest < 0.25,
        BRIGHT: measures.darkest > 0.9,
        LOW_INFORMATION: plain,
        BLURRED: (measures.sharpness < 0.2) & ~plain,
        NOISE: measures.smoothness < 0.3,
        GRAY: gray & (gray.mean() < GRAY_SHARE),
        ODD_SIZE: odd(sides(measures)),
        ODD_ASPECT: odd(aspects(measures)),
    }
    return {issue.name: flags for issue, flags in found.items()}


def sides(measures: ImageMeasures) -> NDArray[np.float64]:
    """Give N square roots of width × height, in pixels."""
    found: NDArray[np.float64] = np.sqrt(measures.width.astype(np.float64) * measures.height)
    return found


def aspects(measures: ImageMeasures) -> NDArray[np.float64]:
    """Give N longer sides divided by shorter sides: 1 and more."""
    long = np.maximum(measures.width, measures.height)
    return long / np.minimum(measures.width, measures.height).astype(np.float64)


def odd(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark positive numbers that are far from the median, on a scale of factors."""
    factors = np.log2(values / np.median(values))
    found: NDArray[np.bool_] = np.abs(factors) >= np.log2(FACTOR) - 1e-9
    return found & far_from_median(factors)


def far_from_median(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark numbers that are more than `ODD` robust standard deviations from the median."""
    far: NDArray[np.bool_] = np.abs(values - np.median(values)) > ODD * robust_deviation(values)
    return far


def robust_deviation(values: NDArray[np.float64]) -> float:
    """Estimate the standard deviation as 1.4826 × the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Give the smallest and the largest number that `odd` takes for usual, for people to read."""
    middle = float(np.log2(np.median(values)))
    reach = max(ODD * robust_deviation(np.log2(values)), float(np.log2(FACTOR)))
    return 2 ** (middle - reach), 2 ** (middle + reach)
