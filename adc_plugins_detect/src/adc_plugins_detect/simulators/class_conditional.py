"""Class-conditional label noise: the given label depends on the true class alone."""

from typing import Annotated, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import ConfigDict, Field, model_validator

from adc_core import Corruption, Dataset, InputError, Simulator
from adc_core.records import check_stochastic
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


class ClassConditionalNoise(Simulator):
    """Draws wrong labels from a transition matrix."""

    stream: ClassVar[str] = "by class"

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"transition": [[0.8, 0.2, 0], [0, 0.9, 0.1], [0.3, 0, 0.7]]}]
        }
    )

    transition: tuple[tuple[Probability, ...], ...] = Field(
        description="K rows, one per true class, of K probabilities of the given label"
    )
    seed: int = Field(
        default=0, ge=0, description="seed; for one seed a lower rate's errors are kept"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({len(row) for row in self.transition} | {len(self.transition)}) != 1:
            raise ValueError("transition: give K rows of K numbers")
        check_stochastic(np.array(self.transition), "transition")
        return self

    def corrupt(self, dataset: Dataset) -> Corruption:
        """Draw noisy labels for the dataset.

        Raises:
            InputError: the matrix is of another number of classes.
        """
        if len(self.transition) != len(dataset.classes):
            raise InputError(
                f"transition has {len(self.transition)} rows but there are "
                f"{len(dataset.classes)} classes: give one row per class"
            )
        return corrupt(dataset.labels, self.transition, self.seed)
