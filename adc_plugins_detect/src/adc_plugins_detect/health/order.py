"""Whether the order of a dataset carries information: neighbors in it are then no random draws."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adc_core import Neighbors
from adc_core.arrays import Array

PERMUTATIONS = 199
"""Random orders that the real one is compared with: the smallest p-value is 1 / 200."""

_MOST_EDGES = 200_000


class OrderTest(NamedTuple):
    """A real order compared with random ones.

    Attributes:
        statistic: what was measured, in words.
        observed: in the real order.
        expected: mean over random orders.
        p_value: share of orders, the real one included, that are as far out as it.
        permutations: how many random orders there were.
        counted: labels or pairs of samples that were looked at.
    """

    statistic: str
    observed: float
    expected: float
    p_value: float
    permutations: int
    counted: int

    @property
    def ratio(self) -> float:
        """Observed by expected: 1 where the order has no information, 0 where it has all."""
        return self.observed / self.expected if self.expected else 1.0


def label_order(labels: NDArray[np.int64], seed: int = 0) -> OrderTest:
    """Count how often a label differs from the one before it; in sorted data that is rare.

    The test of runs of Wald and Wolfowitz (1940) for any number of classes, by permutation.

    Args:
        labels: N class indices in the dataset's order.
        seed: of the random orders.
    """
    rng = np.random.default_rng(seed)

    def changes(order: Array) -> int:
        return int(np.count_nonzero(order[1:] != order[:-1]))

    random = np.array([changes(rng.permutation(labels)) for _ in range(PERMUTATIONS)])
    return _compare("label differs from the one before", changes(labels), random, len(labels))


def sample_order(neighbors: Neighbors, groups: Array, seed: int = 0) -> OrderTest | None:
    """Measure how far apart in order the nearest neighbors are; scenes that follow are near.

    Only neighbors of one group are compared, and random orders only exchange places within it,
    for folders are read class by class, split by split. The distance is counted in places within
    the group, divided by the group's size.

    Args:
        neighbors: the k-NN graph of the features.
        groups: N values, such as label and split together.
        seed: of the random orders, and of the pairs that are looked at where there are more than
            200,000.

    Returns:
        None where no neighbors are of one group.
    """
    rng = np.random.default_rng(seed)
    _, group = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group)
    one = np.repeat(np.arange(len(group)), neighbors.k)
    other = neighbors.indices.ravel()
    within = np.flatnonzero((group[one] == group[other]) & (sizes[group[one]] > 2))
    if not len(within):
        return None
    if len(within) > _MOST_EDGES:
        within = np.sort(rng.choice(within, _MOST_EDGES, replace=False))
    one, other = one[within], other[within]
    by_group = np.argsort(group, kind="stable")
    start = np.cumsum(sizes) - sizes
    place = np.empty(len(group))
    place[by_group] = (np.arange(len(group)) - start[group[by_group]]) / sizes[group[by_group]]

    def apart(places: Array) -> float:
        return float(np.abs(places[one] - places[other]).mean())

    def shuffled() -> Array:
        order = np.lexsort((rng.random(len(group)), group))
        places = np.empty(len(group))
        places[order] = place[by_group]
        return places

    random = np.array([apart(shuffled()) for _ in range(PERMUTATIONS)])
    return _compare("distance in order of neighbors of one class", apart(place), random, len(one))


def _compare(statistic: str, observed: float, random: Array, counted: int) -> OrderTest:
    """Compare on one side: an order that carries information has a small statistic."""
    p_value = (1 + np.count_nonzero(random <= observed)) / (1 + len(random))
    return OrderTest(
        statistic, float(observed), float(random.mean()), float(p_value), len(random), counted
    )
