"""A long tail: each class has fewer samples than the one before it, as in what is collected."""

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from adc_core import Corruption, Dataset, InputError, Simulator
from adc_core.arrays import Array
from adc_core.errors import unknown_name

Profile = Literal["exponential", "step"]

_HALVINGS = 200


def profile_counts(
    largest: float, n_groups: int, ratio: float, profile: Profile = "exponential"
) -> NDArray[np.int64]:
    """Count the samples of each group of a long tail, the head first.

    Exponential: ⌊n r^(−k/(K−1))⌋ of group k. Step: ⌊n⌋ of the first half, ⌊n/r⌋ of the others
    (Cao et al., "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS
    2019). Computed in float64 and never rounded up, so that CIFAR-10 at r = 100 has 12,406.

    Args:
        largest: n, also a fraction of a sample: a mean class size is one.
        n_groups: K.
        ratio: r, the head's size over the tail's.
        profile: how counts fall.
    """
    return np.floor(largest * _shares(n_groups, ratio, profile)).astype(np.int64)


def _shares(n_groups: int, ratio: float, profile: Profile) -> NDArray[np.float64]:
    place = np.arange(n_groups, dtype=np.float64)
    if profile == "step":
        return np.where(place < n_groups // 2, 1.0, 1 / ratio)
    # Python's power, which is the C library's: numpy's own differs in the last bit among versions,
    # and a class of 50 is then one of 49.
    return np.array([float(ratio) ** (-k / max(1, n_groups - 1)) for k in range(n_groups)])


def largest_for_total(
    total: int, available: Array, ratio: float, profile: Profile = "exponential"
) -> float:
    """Find the size of the head with which a tail has a total of samples, or just below it.

    Groups that get one more sample at the same size, as at a ratio of 1, may leave it below.

    Args:
        total: of all groups.
        available: K counts, the head's first.
        ratio: r.
        profile: how counts fall.

    Raises:
        InputError: a group is too small for it; the error names the largest possible total.
    """
    shares = _shares(len(available), ratio, profile)
    high = float(((available + 1) / shares).min())
    while (np.floor(high * shares) > available).any():
        high = float(np.nextafter(high, 0))
    most = int(np.floor(high * shares).sum())
    if total > most:
        raise InputError(
            f"total is {total:,} but a tail of ratio {ratio:g} has {most:,} samples at most, for "
            "no class has more than it has: lower total or ratio"
        )
    low = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = np.floor(middle * shares).sum() > total
        low, high = (low, middle) if above else (middle, high)
    return high if np.floor(high * shares).sum() <= total else low


def draws(purpose: str, seed: int, count: int) -> NDArray[np.float64]:
    """Draw a number in 0 … 1 for each sample, of a stream that no other purpose has.

    Noise of the same seed draws such numbers too: were they the same, the samples with wrong
    labels would be those that are chosen.
    """
    return np.random.default_rng([seed, *purpose.encode()]).random(count)


def first_of_groups(groups: Array, counts: Array, drawn: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Choose so many samples of each group, those with the lowest draws; of a smaller one, all.

    Args:
        groups: N group numbers, -1 of samples that no group has.
        counts: K counts; for the same draws a smaller one's samples are among a larger one's.
        drawn: N numbers.
    """
    order = np.lexsort((drawn, groups))
    in_order = groups[order]
    place = np.arange(len(groups)) - np.searchsorted(in_order, in_order, "left")
    chosen = np.zeros(len(groups), np.bool_)
    chosen[order] = (in_order >= 0) & (place < np.asarray(counts)[in_order.clip(0)])
    return chosen


class LongTail(Simulator):
    """Leaves samples out until classes, or values of an attribute, have a long tail.

    The first class is the head, in the dataset's order; values are in that of the alphabet. The
    head has as many samples as classes have on average, or what `total` makes it. A class that
    has fewer than its share keeps all, and a warning says what ratio there is then.

    Labels stay as they are, and count as true where the pipeline names no truth. So noise may be
    simulated before it, or after.
    """

    profile: Profile = Field(default="exponential", description="how the counts of classes fall")
    ratio: float = Field(
        default=10, ge=1, description="samples of the head per sample of the last class"
    )
    by: str | None = Field(
        default=None, description="attribute whose values have the tail; none: classes"
    )
    total: int | None = Field(
        default=None, ge=1, description="samples to keep in all; none: the head is of mean size"
    )
    seed: int = Field(
        default=0, ge=0, description="seed; for one seed a higher ratio's samples are kept"
    )

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Choose which samples to keep; no label changes.

        Raises:
            InputError: no such attribute, or a total or ratio that the dataset cannot have.
        """
        groups, names = self._groups(dataset)
        available = np.bincount(groups, minlength=len(names))
        if self.total is None:
            largest = len(groups) / len(names)
        else:
            largest = largest_for_total(self.total, available, self.ratio, self.profile)
        counts = profile_counts(largest, len(names), self.ratio, self.profile)
        if empty := int((counts == 0).sum()):
            raise InputError(
                f"{empty} of {len(names)} classes would have no sample: the head has "
                f"{int(largest):,}, so lower ratio from {self.ratio:g} to that at most"
            )
        _warn_if_short(counts, available, names)
        return Corruption(
            labels=dataset.labels,
            mask=np.zeros(len(dataset), np.bool_),
            kept=first_of_groups(groups, counts, draws("long-tail", self.seed, len(groups))),
        )

    def _groups(self, dataset: Dataset) -> tuple[Array, tuple[str, ...]]:
        if self.by is None:
            return dataset.labels, dataset.classes
        if self.by not in dataset.attributes:
            raise InputError(f"by: {unknown_name('attribute', self.by, dataset.attributes)}")
        values, groups = np.unique(dataset.attributes[self.by].astype(np.str_), return_inverse=True)
        return groups, tuple(map(str, values))


def _warn_if_short(counts: Array, available: Array, names: tuple[str, ...]) -> None:
    short = np.flatnonzero(available < counts)
    if not len(short):
        return
    real = np.minimum(counts, available)
    there = real[real > 0]
    first = ", ".join(f"{names[k]} ({available[k]:,} of {counts[k]:,})" for k in short[:3])
    warnings.warn(
        f"{len(short)} of {len(names)} classes have fewer samples than their share and keep all: "
        f"{first}{', …' if len(short) > 3 else ''}; the ratio of the largest to the smallest is "
        f"{there.max() / there.min():.4g}",
        stacklevel=2,
    )
