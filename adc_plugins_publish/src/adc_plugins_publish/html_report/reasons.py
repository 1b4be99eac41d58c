"""Why a label is suspect, as far as the dataset's evidence shows: neighbors, classes, training."""

from dataclasses import dataclass

import numpy as np

from adc_core import Dataset
from adc_core.arrays import Array
from adc_core.reporting import data_url

SHOWN = 5
"""How many neighbors are shown."""

_SIDE = 48
_WIDTH, _HEIGHT, _MOST_POINTS = 120, 32, 60


@dataclass(frozen=True)
class Neighbor:
    """A near sample.

    Attributes:
        id: of the sample.
        image: a data URL, or nothing.
        label: its given class.
        agrees: that is the suspect's class too.
    """

    id: str
    image: str
    label: str
    agrees: bool


@dataclass(frozen=True)
class Neighborhood:
    """The nearest neighbors of a sample.

    Attributes:
        nearest: the first few.
        others: how many of all neighbors carry another label than the sample.
        known: how many neighbors the graph holds.
    """

    nearest: tuple[Neighbor, ...]
    others: int
    known: int


@dataclass(frozen=True)
class RunnerUp:
    """The given class against the strongest other one.

    Attributes:
        given: probability of the given class.
        rival: the strongest other class.
        probability: of the rival.
        margin: the given class's probability less the rival's.
        origin: whether the model had seen the label.
    """

    given: float
    rival: str
    probability: float
    margin: float
    origin: str


@dataclass(frozen=True)
class Curve:
    """The probability of the given label over training.

    Attributes:
        first: at the first epoch.
        last: at the last epoch.
        epochs: how many.
        points: of a polyline in a box of `width` × `height`, where the top is 1.
    """

    first: float
    last: float
    epochs: int
    points: str
    width: int = _WIDTH
    height: int = _HEIGHT


@dataclass(frozen=True)
class Reasons:
    """What the evidence says of one sample; None where a dataset has no such evidence."""

    neighbors: Neighborhood | None
    runner_up: RunnerUp | None
    curve: Curve | None


def reasons_of(dataset: Dataset, row: int) -> Reasons:
    """Look one sample up in the dataset's evidence."""
    return Reasons(
        neighbors=_neighborhood(dataset, row),
        runner_up=_runner_up(dataset, row),
        curve=None if dataset.dynamics is None else _curve(dataset.dynamics.given_probability[row]),
    )


def _neighborhood(dataset: Dataset, row: int) -> Neighborhood | None:
    if dataset.neighbors is None:
        return None
    rows = dataset.neighbors.indices[row]
    agrees = dataset.labels[rows] == dataset.labels[row]
    nearest = tuple(
        Neighbor(
            id=str(dataset.ids[near]),
            image=data_url(dataset.images, int(near), _SIDE),
            label=dataset.classes[dataset.labels[near]],
            agrees=bool(same),
        )
        for near, same in zip(rows[:SHOWN], agrees, strict=False)
    )
    return Neighborhood(nearest=nearest, others=int((~agrees).sum()), known=len(rows))


def _runner_up(dataset: Dataset, row: int) -> RunnerUp | None:
    if dataset.probabilities is None:
        return None
    values = dataset.probabilities.values[row].astype(np.float64)
    label = int(dataset.labels[row])
    others = values.copy()
    others[label] = -np.inf
    rival = int(others.argmax())
    return RunnerUp(
        given=float(values[label]),
        rival=dataset.classes[rival],
        probability=float(values[rival]),
        margin=float(values[label] - values[rival]),
        origin=dataset.probabilities.origin,
    )


def _curve(values: Array) -> Curve | None:
    """Thin a curve to sixty epochs that saw the sample; none where there is but one."""
    epochs, seen = len(values), values[~np.isnan(values)]
    if len(seen) < 2:
        return None
    shown = np.unique(np.linspace(0, epochs - 1, min(epochs, _MOST_POINTS)).round().astype(int))
    shown = shown[~np.isnan(values[shown])]
    across = shown / (epochs - 1) * _WIDTH
    down = (1 - values[shown].clip(0, 1)) * _HEIGHT
    points = " ".join(f"{x:.4g},{y:.4g}" for x, y in zip(across, down, strict=True))
    return Curve(first=float(seen[0]), last=float(seen[-1]), epochs=epochs, points=points)
