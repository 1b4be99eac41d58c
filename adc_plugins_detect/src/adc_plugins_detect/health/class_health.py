"""Classes that are mistaken for each other, overlap, or are in a worse state than the rest."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Neighbors

Z = 1.96
"""Standard errors of an interval that holds the truth in 95 of 100 cases."""


class Share(NamedTuple):
    """A share of counted things, with its 95 % interval.

    Attributes:
        part: how many are.
        whole: of how many.
        low: lower end of Wilson's interval of the share.
        high: upper end.
    """

    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share, or None where nothing was counted."""
        return self.part / self.whole if self.whole else None


class Confusion(NamedTuple):
    """Samples labelled as one class and predicted as another one.

    Attributes:
        label: class index.
        predicted: class index.
        share: of the samples with that label.
        times: how many times as many as there would be if the label's mistakes fell on all other
            classes by their size.
    """

    label: int
    predicted: int
    share: Share
    times: float


class Overlap(NamedTuple):
    """Two classes whose samples are mixed.

    Attributes:
        one: class index, the smaller one.
        other: class index.
        share: of the neighbors of either class's samples, how many belong to the other class.
        chance: what that share would be if neighbors were drawn at random.
    """

    one: int
    other: int
    share: float
    chance: float


def share(part: int, whole: int) -> Share:
    """Give a share with Wilson's 95 % interval (1927)."""
    if not whole:
        return Share(part, whole, 0.0, 1.0)
    middle = (part + Z**2 / 2) / (whole + Z**2)
    reach = Z / (whole + Z**2) * np.sqrt(part * (whole - part) / whole + Z**2 / 4)
    return Share(part, whole, float(max(0, middle - reach)), float(min(1, middle + reach)))


def find_confusions(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int
) -> list[Confusion]:
    """Count label and prediction of the samples on which they differ, most frequent first.

    A pair is reported where the lower end of its share's interval is above what an even spread of
    the label's mistakes would bring: so that what chance brings with few samples is left out.

    Args:
        labels: N given labels.
        predicted: N most probable classes, from models that had not seen the label.
        n_classes: K.
    """
    K = n_classes
    counts = np.bincount(labels * K + predicted, minlength=K * K).reshape(K, K)
    sizes = counts.sum(axis=1)
    mistakes = sizes - counts.diagonal()
    found = []
    for label, other in zip(*np.nonzero(counts), strict=True):
        if label == other:
            continue
        others = sizes.sum() - sizes[label]
        even = mistakes[label] * sizes[other] / others if others else 0
        seen = share(int(counts[label, other]), int(sizes[label]))
        if seen.low * sizes[label] > even:
            times = float(counts[label, other] / even) if even else float("inf")
            found.append(Confusion(int(label), int(other), seen, times))
    return sorted(found, key=lambda pair: -pair.share.part)


def find_overlaps(
    labels: NDArray[np.int64], neighbors: Neighbors, n_classes: int, k: int = 10
) -> list[Overlap]:
    """List the pairs of classes that are each other's neighbors more than chance has it.

    Largest share first. No classifier is asked: it is a property of features and labels, so that
    wrong labels between two classes show as overlap, too.

    Args:
        labels: N given labels.
        neighbors: the k-NN graph of the features.
        n_classes: K.
        k: how many neighbors to look at; all if the graph has fewer.
    """
    K, k = n_classes, min(k, neighbors.k)
    near = labels[neighbors.first(k)[0]]
    counts = np.bincount((labels[:, None] * K + near).ravel(), minlength=K * K).reshape(K, K)
    sizes = np.bincount(labels, minlength=K)
    one, other = np.triu_indices(K, 1)
    both = np.maximum(1, sizes[one] + sizes[other])
    seen = (counts[one, other] + counts[other, one]) / (both * k)
    chance = 2 * sizes[one] * sizes[other] / both / max(1, len(labels) - 1)
    pairs = np.flatnonzero(seen > chance)
    return [
        Overlap(int(one[pair]), int(other[pair]), float(seen[pair]), float(chance[pair]))
        for pair in pairs[np.argsort(-seen[pairs], kind="stable")]
    ]


def agreement(labels: NDArray[np.int64], neighbors: Neighbors, k: int = 10) -> NDArray[np.float64]:
    """Give N shares of a sample's nearest neighbors that carry its label."""
    near = labels[neighbors.first(min(k, neighbors.k))[0]]
    shares: NDArray[np.float64] = (near == labels[:, None]).mean(axis=1)
    return shares
