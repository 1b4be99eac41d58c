"""Colors that differ, by their distance in CIELAB."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_MAX_PER_GROUP = 2


def farthest(
    groups: Mapping[str, Mapping[str, str]], count: int, first: Collection[str] = ()
) -> tuple[str, ...]:
    """Return colours that differ: each is the farthest in CIELAB from those before it.

    The first is the one farthest from all others together. No more than two come from one group,
    unless all groups are used up.

    Args:
        groups: group to colours, name to sRGB value.
        count: how many, in all.
        first: those that are chosen already.
    """
    names = [name for colors in groups.values() for name in colors]
    group = [name for name, colors in groups.items() for _ in colors]
    places = lab([value for colors in groups.values() for value in colors.values()])
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    chosen = [row for row, name in enumerate(names) if name in first]
    chosen = chosen or [int(distance.sum(axis=1).argmax())]
    while len(chosen) < min(count, len(names)):
        used = [group[row] for row in chosen]
        free = [
            row
            for row in range(len(names))
            if row not in chosen and used.count(group[row]) < _MAX_PER_GROUP
        ] or [row for row in range(len(names)) if row not in chosen]
        nearest = distance[free][:, chosen].min(axis=1)
        chosen.append(free[int(nearest.argmax())])
    return tuple(names[row] for row in chosen)


def lab(colors: Sequence[str]) -> NDArray[np.float64]:
    """Return CIELAB places (D65) of sRGB values such as `#c0c0c0`, as N × 3 numbers."""
    numbers = [[int(value[i : i + 2], 16) / 255 for i in (1, 3, 5)] for value in colors]
    srgb = np.array(numbers)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ to_xyz.T / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )
