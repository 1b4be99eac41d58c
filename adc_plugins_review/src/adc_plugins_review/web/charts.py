"""Histograms as bars of an SVG, and the same numbers as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adc_core.arrays import Array

WIDTH, HEIGHT, BASE = 460, 150, 120


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        low: where its bin begins.
        high: where it ends; of whole numbers the same as `low`.
        count: how many values are in it.
        x: left edge in the drawing.
        width: in the drawing.
        height: in the drawing.
    """

    low: float
    high: float
    count: int
    x: float
    width: float
    height: float


def whole_number_bars(values: Sequence[int], start: int = 0) -> list[Bar]:
    """Count whole numbers from `start` on, a bar for each."""
    given = np.array([value for value in values if value >= start], np.int64)
    if not len(given):
        return []
    counts = np.bincount(given - start)
    edges = np.arange(start, start + len(counts) + 1, dtype=np.float64)
    return _bars(counts, edges, whole=True)


def histogram_bars(values: Sequence[float], bins: int = 30) -> list[Bar]:
    """Count values in equal bins from 0 to their 99th percentile; larger ones are left out."""
    given = np.asarray(values, np.float64)
    if not len(given):
        return []
    top = max(float(np.percentile(given, 99)), 1e-9)
    counts, edges = np.histogram(given, bins=bins, range=(0, top))
    return _bars(counts, edges, whole=False)


def _bars(counts: Array, edges: Array, *, whole: bool) -> list[Bar]:
    step = WIDTH / len(counts)
    tallest = max(1, int(counts.max()))
    return [
        Bar(
            low=float(edges[number]),
            high=float(edges[number] if whole else edges[number + 1]),
            count=int(count),
            x=round(number * step + 0.5, 1),
            width=round(max(1.0, step - 1), 1),
            height=round((BASE - 10) * int(count) / tallest, 1),
        )
        for number, count in enumerate(counts.tolist())
    ]
