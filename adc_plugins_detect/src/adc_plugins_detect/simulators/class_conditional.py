"""Class-conditional label noise: the given label depends on the true class alone."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Field, model_validator

from adc_core.corruption import Corruption
from adc_core.dataset import Dataset
from adc_core.errors import InputError
from adc_core.findings import check_stochastic
from adc_core.interfaces import Simulator
from adc_plugins_detect.inputs import as_labels

Probability = Annotated[float, Field(ge=0, le=1)]


def corrupt(labels: ArrayLike, transition: ArrayLike, seed: int) -> Corruption:
    """Draw noisy labels, each from the row of its true label.

    One number per sample decides whether its label changes, another to what. So for one seed
    the labels that are wrong at a lower rate are wrong at a higher rate too, and the same.

    Args:
        labels: N true labels.
        transition: K × K, row = true class; rows sum to one.
        seed: of the draws.

    Raises:
        InputError: labels outside the matrix, or rows that do not sum to one.
    """
    T = np.asarray(transition, np.float64)
    check_stochastic(T, "transition")
    true = as_labels(labels, len(T))
    random = np.random.default_rng(seed)
    change, target = random.random(len(true)), random.random(len(true))
    wrong = np.flatnonzero(change < 1 - T.diagonal()[true])
    others = T.copy()
    np.fill_diagonal(others, 0)
    steps = others.cumsum(axis=1)
    noisy = true.copy()
    for k in np.unique(true[wrong]):
        rows = wrong[true[wrong] == k]
        # The last step may be an ulp below its sum, and zero steps must never be taken.
        drawn = np.searchsorted(steps[k], target[rows] * steps[k, -1], side="right")
        noisy[rows] = np.minimum(drawn, np.flatnonzero(others[k])[-1])
    return Corruption(labels=noisy, mask=noisy != true, transition=T)


def pair_flip_transition(n_classes: int, rate: float) -> NDArray[np.float64]:
    """The K × K matrix that gives a share of each class the label of the next one."""
    transition = np.eye(n_classes) * (1 - rate)
    transition += np.roll(np.eye(n_classes), 1, axis=1) * rate
    return transition


class ClassConditionalNoise(Simulator):
    """Draws wrong labels from a transition matrix, or flips classes to the next one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"pair_flip": 0.2}]})

    transition: tuple[tuple[Probability, ...], ...] | None = Field(
        None, description="K rows, one per true class, of K probabilities of the given label"
    )
    pair_flip: float | None = Field(
        None, ge=0, lt=0.5, description="share of every class that gets the next class's label"
    )
    seed: int = Field(0, ge=0, description="seed; for one seed a lower rate's errors are kept")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.transition is None) == (self.pair_flip is None):
            raise ValueError("give either transition or pair_flip")
        if self.transition is not None:
            if len({len(row) for row in self.transition} | {len(self.transition)}) != 1:
                raise ValueError("transition: give K rows of K numbers")
            check_stochastic(np.array(self.transition), "transition")
        return self

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Noisy labels for the dataset.

        Raises:
            InputError: the matrix is of another number of classes.
        """
        K = len(dataset.classes)
        if self.pair_flip is not None:
            return corrupt(dataset.labels, pair_flip_transition(K, self.pair_flip), self.seed)
        if len(self.transition or ()) != K:
            raise InputError(
                f"transition has {len(self.transition or ())} rows but there are {K} classes: "
                "give one row per class"
            )
        return corrupt(dataset.labels, self.transition or (), self.seed)
